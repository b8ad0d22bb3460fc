"""Standing grants: what one covers, and that no limit is ever exceeded."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol.policy.risks import Risk
from server.protocol.standing_grants import standing_grants
from server.protocol.standing_grants.standing_grants import (
    APPROVAL_RISK,
    LIMITS,
    Bounds,
    GrantNotAllowed,
    GrantUsage,
    Pattern,
    Sum,
    VaryingMember,
)

EUR = {"minor": 1_000, "currency": "EUR"}
EXAMPLE: dict[str, Any] = {
    "type": "order",
    "amount": EUR,
    "rows": 5,
    "to": {"name": "Nord", "account": "DE1"},
    "tags": ["a", "b"],
    "note": "x",
    "dry": False,
}
SCOPE = frozenset({"orders:write"})
BOUNDS = Bounds(until=1_000, uses=3, sum=Sum(5_000, "EUR"))
LIMIT = {"minor": 2_000, "currency": "EUR"}


def _pattern(*vary: VaryingMember) -> Pattern:
    return Pattern(SCOPE, (EXAMPLE,), vary)


def _misfit(pattern: Pattern, *, scope: tuple[str, ...] = (), **members: Any) -> str | None:
    return standing_grants.mismatch(pattern, scope, [{**EXAMPLE, **members}])


def test_an_equal_request_or_one_with_fewer_scopes_is_covered() -> None:
    """Details must be equal, scopes a subset."""
    assert _misfit(_pattern()) is None
    assert _misfit(_pattern(), scope=("orders:write",)) is None
    assert _misfit(_pattern(), scope=("orders:read",)) == "scope"


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"note": "y"}, "/note"),
        ({"rows": 6}, "/rows"),
        ({"rows": True}, "/rows"),
        ({"amount": {**EUR, "minor": 999}}, "/amount/minor"),
        ({"to": {"name": "Nord", "account": "DE2"}}, "/to/account"),
        ({"tags": ["b", "a"]}, "/tags"),
        ({"dry": True}, "/dry"),
        ({"more": 1}, "authorization_details"),
    ],
)
def test_members_that_may_not_vary_must_be_equal(changed: Mapping[str, Any], where: str) -> None:
    """Every member in its place; a new one makes it another request."""
    assert _misfit(_pattern(), **changed) == where


def test_another_number_of_actions_is_not_covered() -> None:
    """No action, and two of the same, are not covered."""
    assert standing_grants.mismatch(_pattern(), (), []) == "authorization_details"
    two = [EXAMPLE, EXAMPLE]
    assert standing_grants.mismatch(_pattern(), (), two) == "authorization_details"
    assert standing_grants.mismatch(Pattern(SCOPE, ()), ("orders:write",), []) is None


@pytest.mark.parametrize(
    ("vary", "member", "inside", "outside"),
    [
        (VaryingMember(("amount",), LIMIT), "amount", LIMIT, {**LIMIT, "minor": 2_001}),
        (
            VaryingMember(("amount",), LIMIT),
            "amount",
            {**LIMIT, "minor": 0},
            {**LIMIT, "minor": -1},
        ),
        (VaryingMember(("amount",), LIMIT), "amount", EUR, {**EUR, "currency": "USD"}),
        (VaryingMember(("amount",), LIMIT), "amount", EUR, 5),
        (VaryingMember(("rows",), 10), "rows", 10, 11),
        (VaryingMember(("rows",), 10), "rows", 0, -1),
        (VaryingMember(("rows",), 10), "rows", 1, True),
        (VaryingMember(("note",)), "note", "anything", 5),
        (VaryingMember(("note",)), "note", "", ["a"]),
        (VaryingMember(("tags",)), "tags", [], "a"),
        (VaryingMember(("tags",)), "tags", ["c"], [1]),
    ],
)
def test_varying_members_keep_their_kind_and_limit(
    vary: VaryingMember, member: str, inside: Any, outside: Any
) -> None:
    """A number or money up to the limit, a text or a list of texts freely."""
    assert _misfit(_pattern(vary), **{member: inside}) is None
    assert _misfit(_pattern(vary), **{member: outside}) == f"/{member}"


def test_the_cost_of_a_request_is_in_the_currency_of_the_sum() -> None:
    """An amount in another currency is not covered, however small."""
    assert standing_grants.cost(BOUNDS, {"EUR": 7}) == 7
    assert standing_grants.cost(BOUNDS, {}) == 0
    assert standing_grants.cost(BOUNDS, {"USD": 1}) is None
    assert standing_grants.cost(BOUNDS, {"EUR": 1, "USD": 1}) is None
    assert standing_grants.cost(Bounds(1, 1, None), {"EUR": 1}) is None


@pytest.mark.parametrize(
    ("taken", "minor", "now"),
    [
        (GrantUsage(3, 0), 0, 0),
        (GrantUsage(0, 4_999), 2, 0),
        (GrantUsage(0, 0), 5_001, 0),
        (GrantUsage(0, 0), 0, 1_000),
    ],
)
def test_a_use_that_would_exceed_a_limit_is_refused_entirely(
    taken: GrantUsage, minor: int, now: int
) -> None:
    """Uses, sum and end; nothing is reduced to fit."""
    assert standing_grants.reserve(BOUNDS, taken, minor, now) is None


def test_a_use_is_reserved_and_released() -> None:
    """Up to exactly the limit; a released use is available again."""
    full = standing_grants.reserve(BOUNDS, GrantUsage(2, 4_000), 1_000, 999)
    assert full == GrantUsage(3, 5_000)
    assert standing_grants.release(full, 1_000) == GrantUsage(2, 4_000)
    free = Bounds(until=1, uses=1, sum=None)
    assert standing_grants.reserve(free, GrantUsage(), 0, 0) == GrantUsage(1, 0)
    assert standing_grants.reserve(free, GrantUsage(), 1, 0) is None


_USE = st.tuples(st.booleans(), st.integers(0, 3_000), st.integers(0, 1_200))


@given(
    uses=st.integers(1, 6),
    total=st.one_of(st.none(), st.integers(0, 6_000)),
    steps=st.lists(_USE, max_size=40),
)
def test_no_sequence_of_uses_exceeds_a_limit(
    uses: int, total: int | None, steps: list[tuple[bool, int, int]]
) -> None:
    """The limits hold in any order of reserving and releasing uses."""
    bounds = Bounds(1_000, uses, None if total is None else Sum(total, "EUR"))
    taken, held = GrantUsage(), list[int]()
    for gives_back, minor, now in steps:
        if gives_back and held:
            taken = standing_grants.release(taken, held.pop())
            continue
        after = standing_grants.reserve(bounds, taken, minor, now)
        if after is not None:
            assert now < bounds.until
            taken = after
            held.append(minor)
        assert (taken.uses, taken.minor) == (len(held), sum(held))
        assert taken.uses <= uses
        assert taken.minor <= (total or 0)


@pytest.mark.parametrize(
    ("risk", "bounds", "where"),
    [
        (Risk.LOW, {"seconds": 30 * 86_400 + 1}, "seconds"),
        (Risk.LOW, {"seconds": 59}, "seconds"),
        (Risk.MEDIUM, {"seconds": 8 * 3_600 + 1}, "seconds"),
        (Risk.MEDIUM, {"uses": 21}, "uses"),
        (Risk.HIGH, {"seconds": 3_601}, "seconds"),
        (Risk.HIGH, {"uses": 6}, "uses"),
        (Risk.HIGH, {"uses": 0}, "uses"),
        (Risk.HIGH, {"total": None}, "sum"),
        (Risk.LOW, {"total": None}, "sum"),
        (Risk.LOW, {"costs": False}, "sum"),
        (Risk.CRITICAL, {}, "risk"),
    ],
)
def test_a_grant_over_its_limit_is_refused_and_the_limit_is_named(
    risk: Risk, bounds: Mapping[str, Any], where: str
) -> None:
    """It is never reduced silently."""
    whole = {"seconds": 60, "uses": 1, "costs": True, "total": Sum(1, "EUR"), **bounds}
    with pytest.raises(GrantNotAllowed) as refused:
        standing_grants.check_limits(risk, **whole)
    assert refused.value.where == where
    limit = LIMITS.get(risk)
    if where in {"seconds", "uses"}:
        assert limit is not None
        assert str(getattr(limit, where)) in refused.value.remedy


@pytest.mark.parametrize("risk", list(LIMITS))
def test_a_grant_may_reach_the_limit_of_its_risk(risk: Risk) -> None:
    """Approving it has at least the risk of what it covers."""
    limit = LIMITS[risk]
    standing_grants.check_limits(
        risk, seconds=limit.seconds, uses=limit.uses, costs=True, total=Sum(1, "EUR")
    )
    standing_grants.check_limits(risk, seconds=60, uses=1, costs=False, total=None)
    assert APPROVAL_RISK[risk].rank >= max(Risk.MEDIUM.rank, risk.rank)


def test_a_sum_is_in_the_only_currency_of_the_example() -> None:
    """Written as a person writes it."""
    assert standing_grants.read_sum({"EUR": 1}, "20") == Sum(2_000, "EUR")
    assert standing_grants.read_sum({"EUR": 1}, None) is None
    for money, text in (({}, "1"), ({"EUR": 1, "USD": 1}, "1"), ({"EUR": 1}, "x")):
        with pytest.raises(GrantNotAllowed):
            standing_grants.read_sum(money, text)


@pytest.mark.parametrize(
    ("path", "up_to", "found"),
    [
        (("amount",), "20", LIMIT),
        (("rows",), "10", 10),
        (("note",), None, None),
        (("tags",), None, None),
        (("to", "name"), None, None),
    ],
)
def test_the_members_that_may_vary_are_read(
    path: tuple[str, ...], up_to: str | None, found: Any
) -> None:
    """A number with its limit, a text without."""
    (vary,) = standing_grants.read_vary(EXAMPLE, [(path, up_to)], None)
    assert vary == VaryingMember(path, found)
    assert standing_grants.from_json(standing_grants.as_json([vary])) == (vary,)


@pytest.mark.parametrize(
    ("path", "up_to"),
    [
        (("amount",), None),
        (("amount",), "20.001"),
        (("rows",), None),
        (("rows",), "1.5"),
        (("note",), "20"),
        (("dry",), None),
        (("to",), None),
        (("to", "account"), None),
        (("nothing",), None),
        (("note", "deeper"), None),
        (("type",), None),
    ],
)
def test_a_member_that_cannot_vary_is_refused(path: tuple[str, ...], up_to: str | None) -> None:
    """These are a number without a limit, a text with one, a switch, an object, the target."""
    with pytest.raises(GrantNotAllowed):
        standing_grants.read_vary(EXAMPLE, [(path, up_to)], ("to", "account"))


def test_a_varying_member_is_named_once() -> None:
    """Naming it twice would be ambiguous."""
    with pytest.raises(GrantNotAllowed):
        standing_grants.read_vary(EXAMPLE, [(("note",), None), (("note",), None)], None)


def test_the_pattern_shows_the_example_with_words_for_varying_members() -> None:
    """The example itself is unchanged."""
    vary = [VaryingMember(("amount",), LIMIT), VaryingMember(("to", "name"))]
    proposal = standing_grants.with_variations(EXAMPLE, vary)
    assert (proposal["amount"], proposal["to"]) == (
        "up to EUR 20.00",
        {"name": "anything", "account": "DE1"},
    )
    assert (proposal["rows"], EXAMPLE["amount"], EXAMPLE["to"]["name"]) == (5, EUR, "Nord")


_TEXT = st.text(max_size=3)
_DETAIL = st.fixed_dictionaries(
    {"amount": st.integers(-5, 3_000), "note": _TEXT, "tags": st.lists(_TEXT, max_size=2)}
)


@given(detail=_DETAIL, cap=st.integers(0, 2_500), varies=st.booleans())
def test_a_covered_request_equals_the_example_within_its_limits(
    *, detail: dict[str, Any], cap: int, varies: bool
) -> None:
    """An uncovered one differs in the place that is named."""
    vary = (
        VaryingMember(("amount",), {"minor": cap, "currency": "EUR"}),
        VaryingMember(("note",)),
    )[: 1 + varies]
    request = {**EXAMPLE, **detail, "amount": {**EUR, "minor": detail["amount"]}}
    where = standing_grants.mismatch(_pattern(*vary), (), [request])
    fits = {
        "/amount": 0 <= detail["amount"] <= cap,
        "/note": varies or detail["note"] == EXAMPLE["note"],
        "/tags": detail["tags"] == EXAMPLE["tags"],
    }
    assert (where is None) == all(fits.values())
    if where is not None:
        assert not fits[where]
