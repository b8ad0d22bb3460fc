"""A narrowed grant must be part of the request, or it is refused."""

import json
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol import json_text
from server.protocol.approvals import narrowing
from server.protocol.approvals.decisions import action_text
from server.protocol.approvals.narrowing import NOT_GRANTED, Change, NotNarrower, Terms

RULES = {
    ("total",): "lower",
    ("count",): "lower",
    ("by",): "earlier",
    ("dry",): "turn_on",
    ("lines",): "drop",
    ("lines", "*", "price"): "lower",
}
ORDER = {
    "type": "order.place",
    "shop": "Nordwind",
    "total": {"minor": 48_200, "currency": "EUR"},
    "count": 3,
    "by": "2026-11-25T14:30:00Z",
    "dry": False,
    "fixed": ["a", "b"],
    "lines": [
        {"price": {"minor": 100, "currency": "EUR"}, "tags": ["new"], "more": {}},
        {"price": {"minor": 200, "currency": "EUR"}, "tags": [], "more": {}},
        {"price": {"minor": 300, "currency": "EUR"}, "tags": [], "more": {}},
    ],
}


def requested_terms(**members):
    """Return terms with an order and two scopes."""
    return Terms(({**ORDER, **members},), ("orders:place", "orders:read"))


def action(terms=None):
    """Return the action text of a request for these terms."""
    chosen_terms = terms or requested_terms()
    return action_text(
        agent="agent",
        authorization_details=list(chosen_terms.details),
        resource="https://shop.example",
        salt="salt",
        scope=chosen_terms.scope,
        user="user",
    )


def narrowed(*changes, drop=()):
    """Return the terms after these changes, each given as a path and a text."""
    changes_lists = [Change(0, tuple(path.split("/")), entry) for path, entry in changes]
    return narrowing.narrowed_details(requested_terms(), drop, changes_lists, [RULES])


def compared(granted, **requested_details):
    """Compare a granted order with the requested one."""
    return narrowing.check_narrower({**ORDER, **requested_details}, granted, RULES)


def read_grant(**members):
    """Read a granted text with these members."""
    complete = {**json.loads(action()), "scope": ["orders:read"], **members}
    present = {name: value for name, value in complete.items() if value is not ...}
    return narrowing.read_granted(action(), json_text.canonical(present))


@pytest.mark.parametrize(
    ("path", "entry", "value"),
    [
        ("total", "500", {"minor": 50_000, "currency": "EUR"}),
        ("total", "99.5", {"minor": 9_950, "currency": "EUR"}),
        ("count", "2", 2),
        ("by", "2026-11-25T10:00:00Z", "2026-11-25T10:00:00Z"),
        ("dry", "yes", True),
        ("lines", "none", []),
        ("lines", "3,1", [ORDER["lines"][0], ORDER["lines"][2]]),
    ],
)
def test_a_smaller_value_is_read_as_a_person_writes_it(path, entry, value):
    """Money is entered in its currency's usual form, and list items to keep by their numbers."""
    assert narrowed((path, entry)).details == ({**ORDER, path: value},)


def test_a_value_in_a_list_is_named_by_its_index():
    """A path in a list has the index of a JSON pointer. Yen are read without decimal places."""
    lines = [{"price": {"minor": 900, "currency": "JPY"}}]
    requested_details = Terms(({**ORDER, "lines": lines},), ())
    change = Change(0, ("lines", "0", "price"), "500")
    (found,) = narrowing.narrowed_details(requested_details, (), [change], [RULES]).details
    assert found["lines"] == [{"price": {"minor": 500, "currency": "JPY"}}]


def test_narrowing_leaves_the_request_unchanged():
    """Narrowing changes a copy of the details, not the request itself."""
    before = json.dumps(ORDER)
    narrowed(("lines/0/price", "0.50"))
    assert json.dumps(ORDER) == before


@pytest.mark.parametrize(
    ("path", "entry", "says"),
    [
        ("shop", "Mallory", "does not allow that to be narrowed"),
        ("nothing", "1", "does not allow that to be narrowed"),
        ("total", "5,00", "up to 2 decimal places"),
        ("total", "0.005", "up to 2 decimal places"),
        ("total", "-1", "up to 2 decimal places"),
        ("count", "1.5", "a whole number"),
        ("count", "9999999999999999", "too large"),
        ("dry", "perhaps", "yes or no"),
        ("lines", "0", "the items to keep"),
        ("lines", "4", "the list has 3 items"),
        ("lines/9/price", "1", "is not in the request"),
        ("lines/*/price", "1", "is not in the request"),
    ],
)
def test_an_unreadable_change_is_refused_with_an_example(path, entry, says):
    """The error begins with the pointer of the value and says what to enter."""
    with pytest.raises(NotNarrower, match=says) as refusal:
        narrowed((path, entry))
    assert str(refusal.value).startswith(f"/0/{path}")


def test_a_change_to_something_not_requested_is_refused():
    """A change is refused if the request does not have its list, object or scope."""
    with pytest.raises(NotNarrower, match="the items to keep"):
        narrowing.narrowed_details(
            requested_terms(lines=None), (), [Change(0, ("lines",), "1")], [RULES]
        )
    with pytest.raises(NotNarrower, match="no such object"):
        narrowing.narrowed_details(requested_terms(), (), [Change(1, ("total",), "1")], [RULES])
    with pytest.raises(NotNarrower, match="orders:delete was not requested"):
        narrowed(drop=["orders:delete"])


def test_scopes_are_dropped():
    """Dropping a scope keeps the other scopes."""
    assert narrowed(drop=["orders:place"]).scope == ("orders:read",)


def test_a_granted_text_reads_back_to_its_terms():
    """Writing and reading a granted text preserves its terms, with or without a lifetime."""
    for accepted_terms in (narrowed(("total", "5")), Terms((ORDER,), ("orders:read",), 60)):
        text = narrowing.granted_text(action(), accepted_terms)
        assert narrowing.read_granted(action(), text) == accepted_terms == narrowing.terms(text)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"agent": "other"}, "belongs to a different request"),
        ({"salt": "other"}, "belongs to a different request"),
        ({"user": ...}, "unknown or missing members"),
        ({"more": 1}, "unknown or missing members"),
        ({"scope": ["orders:delete"]}, "more than was requested"),
        ({"scope": ["orders:read", "orders:place"]}, "canonical form"),
        ({"scope": "orders:read"}, "list of strings"),
        ({"scope": [1]}, "list of strings"),
        ({"authorization_details": {}}, "list of objects"),
        ({"authorization_details": ["order"]}, "list of objects"),
        ({"authorization_details": []}, "as many objects"),
        ({"token_seconds": 0}, "whole seconds"),
        ({"token_seconds": True}, "whole seconds"),
        ({"token_seconds": None}, "whole seconds"),
        ({"scope": ["orders:place", "orders:read"]}, "everything that was requested"),
    ],
)
def test_a_granted_text_that_does_not_fit_its_request_is_refused(members, says):
    """Each member of a granted text is compared with the request."""
    with pytest.raises(NotNarrower, match=says):
        read_grant(**members)


@pytest.mark.parametrize("text", ["", "[]", "{", '"granted"'])
def test_a_granted_text_that_is_not_an_object_is_refused(text):
    """The error says that the text is not JSON, or that members are missing."""
    with pytest.raises(NotNarrower, match=r"not JSON|unknown or missing members"):
        narrowing.read_granted(action(), text)


def test_granting_nothing_is_refused():
    """A grant with neither scopes nor details is refused; the error suggests to deny instead."""
    scopes_alone = action(Terms((), ("orders:read",)))
    text = narrowing.granted_text(scopes_alone, Terms((), ()))
    with pytest.raises(NotNarrower, match="deny the request instead"):
        narrowing.read_granted(scopes_alone, text)


def test_requested_and_granted_values_are_shown_side_by_side():
    """Granted values replace the requested ones, and dropped items are marked as not granted."""
    (granted,) = narrowed(("lines", "2"), ("total", "1")).details
    shown = compared(granted)
    assert shown["total"] == {"minor": 100, "currency": "EUR"}
    assert [line["price"] for line in shown["lines"]] == [
        NOT_GRANTED,
        ORDER["lines"][1]["price"],
        NOT_GRANTED,
    ]
    assert shown["lines"][0] == {"price": NOT_GRANTED, "tags": [NOT_GRANTED], "more": NOT_GRANTED}


@pytest.mark.parametrize(
    "change",
    [
        {"shop": "Mallory"},
        {"total": {"minor": 48_201, "currency": "EUR"}},
        {"total": {"minor": -1, "currency": "EUR"}},
        {"total": {"minor": 1, "currency": "USD"}},
        {"total": {"minor": True, "currency": "EUR"}},
        {"total": 1},
        {"count": 4},
        {"count": True},
        {"by": "2026-11-25T14:30:01Z"},
        {"by": "2026-11-25T10:00:00"},
        {"by": "soon"},
        {"by": None},
        {"dry": 0},
        {"dry": 1},
        {"fixed": ["a"]},
        {"fixed": ["b", "a"]},
        {"fixed": "ab"},
        {"lines": [*ORDER["lines"], ORDER["lines"][0]]},
        {"lines": [ORDER["lines"][1], ORDER["lines"][0]]},
        {"lines": [{**ORDER["lines"][0], "tags": ["old"]}]},
        {"extra": 1},
    ],
)
def test_a_grant_that_is_not_narrower_is_refused(change):
    """A grant is refused if it exceeds the request or changes a member that may not be narrowed."""
    with pytest.raises(NotNarrower):
        compared({**ORDER, **change})


def test_a_switch_that_is_on_cannot_be_turned_off():
    """A requested dry run cannot be turned into a real run."""
    with pytest.raises(NotNarrower):
        compared(ORDER, dry=True)


orders = st.builds(
    lambda minor, currency, by, dry, prices: {
        "total": {"minor": minor, "currency": currency},
        "by": f"2026-11-25T0{by}:00:00Z",
        "dry": dry,
        "lines": [{"price": {"minor": p, "currency": "EUR"}} for p in prices],
    },
    st.integers(-2, 4),
    st.sampled_from(["EUR", "USD"]),
    st.integers(0, 3),
    st.booleans(),
    st.lists(st.integers(0, 3), max_size=4),
)


def _is_part(requested_details, granted):
    """Return whether the grant is a part of the request, computed by brute force."""
    requested_total, granted_total = (order["total"] for order in (requested_details, granted))
    total = requested_total == granted_total or (
        requested_total["currency"] == granted_total["currency"]
        and 0 <= granted_total["minor"] < requested_total["minor"]
    )
    prices = [
        [line["price"]["minor"] for line in order["lines"]]
        for order in (requested_details, granted)
    ]
    choices = combinations(prices[0], len(prices[1]))
    lines = any(all(g <= a for a, g in zip(choice, prices[1], strict=True)) for choice in choices)
    is_dry_enough = granted["dry"] or not requested_details["dry"]
    return total and lines and is_dry_enough and granted["by"] <= requested_details["by"]


@given(orders, orders)
def test_exactly_the_narrower_grants_are_accepted(requested_details, granted):
    """For any two orders, the check agrees with a brute-force comparison."""
    try:
        narrowing.check_narrower(requested_details, granted, RULES)
    except NotNarrower:
        assert not _is_part(requested_details, granted)
    else:
        assert _is_part(requested_details, granted)


changes_lists = st.lists(
    st.one_of(
        st.tuples(st.just("total"), st.sampled_from(["0", "0.01", "0.02", "9"])),
        st.tuples(st.just("by"), st.sampled_from(["2026-11-25T01:00:00Z", "never"])),
        st.tuples(st.just("dry"), st.sampled_from(["yes", "no"])),
        st.tuples(st.just("lines"), st.sampled_from(["none", "1", "2", "1,3"])),
        st.tuples(st.just("lines/0/price"), st.sampled_from(["0", "0.01", "7"])),
    ),
    max_size=3,
)


@given(orders, changes_lists, st.sets(st.sampled_from(["a", "b"])))
def test_a_narrowed_grant_never_exceeds_the_request(requested_details, requested_changes, drop):
    """Any changes either yield a part of the request or are refused."""
    terms = Terms((requested_details,), ("a", "b"))
    changes = [Change(0, tuple(path.split("/")), entry) for path, entry in requested_changes]
    try:
        narrowed_terms = narrowing.narrowed_details(terms, drop, changes, [RULES])
        text = narrowing.granted_text(action(terms), narrowed_terms)
        granted_terms = narrowing.read_granted(action(terms), text)
        narrowing.check_narrower(requested_details, dict(granted_terms.details[0]), RULES)
    except NotNarrower:
        return
    assert _is_part(requested_details, granted_terms.details[0])
    assert set(granted_terms.scope) == {"a", "b"} - drop


claims = st.fixed_dictionaries(
    {
        "scope": st.sets(st.sampled_from(["orders:place", "orders:read", "orders:delete"])).map(
            sorted
        ),
        "resource": st.sampled_from(["https://shop.example", "https://bank.example"]),
        "user": st.sampled_from(["user", "another"]),
        "agent": st.sampled_from(["agent", "another"]),
        "count": st.integers(0, 2),
    },
    optional={"token_seconds": st.integers(-1, 3)},
)


@given(claims)
def test_a_granted_text_cannot_change_the_rest_of_the_request(claimed):
    """Agent, user, resource, scopes and number of objects are always those of the request."""
    request = json.loads(action())
    details = request["authorization_details"] * claimed.pop("count")
    text = json_text.canonical({**request, **claimed, "authorization_details": details})
    try:
        granted_terms = narrowing.read_granted(action(), text)
    except NotNarrower:
        return
    assert {name: claimed[name] for name in ("resource", "user", "agent")} == {
        name: request[name] for name in ("resource", "user", "agent")
    }
    assert set(granted_terms.scope) <= set(request["scope"])
    assert len(granted_terms.details) == len(request["authorization_details"])
    assert granted_terms.seconds is None or granted_terms.seconds > 0
    assert granted_terms != narrowing.terms(action())
