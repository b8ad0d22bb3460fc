"""Standing grants: the requests that they cover, and their limits."""

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


def _mismatch(pattern: Pattern, *, scope: tuple[str, ...] = (), **members: Any) -> str | None:
    return standing_grants.mismatch(pattern, scope, [{**EXAMPLE, **members}])


def test_an_equal_request_or_one_with_fewer_scopes_is_covered() -> None:
    """The details must be equal, and the scopes must be a subset."""
    assert _mismatch(_pattern()) is None
    assert _mismatch(_pattern(), scope=("orders:write",)) is None
    assert _mismatch(_pattern(), scope=("orders:read",)) == "scope"


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
    """The first member that differs is named; a new member makes it a different request."""
    assert _mismatch(_pattern(), **changed) == where


def test_a_different_number_of_actions_is_not_covered() -> None:
    """A request with no action or with two is not covered by an example with one."""
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
    """A number or an amount may vary up to its limit; strings and string lists vary freely."""
    assert _mismatch(_pattern(vary), **{member: inside}) is None
    assert _mismatch(_pattern(vary), **{member: outside}) == f"/{member}"


def test_the_cost_of_a_request_is_in_the_currency_of_the_sum() -> None:
    """A request with an amount in a different currency is not covered, however small it is."""
    assert standing_grants.cost(BOUNDS, {"EUR": 7}) == 7
    assert standing_grants.cost(BOUNDS, {}) == 0
    assert standing_grants.cost(BOUNDS, {"USD": 1}) is None
    assert standing_grants.cost(BOUNDS, {"EUR": 1, "USD": 1}) is None
    assert standing_grants.cost(Bounds(1, 1, None), {"EUR": 1}) is None


@pytest.mark.parametrize(
    ("usage", "minor", "now"),
    [
        (GrantUsage(3, 0), 0, 0),
        (GrantUsage(0, 4_999), 2, 0),
        (GrantUsage(0, 0), 5_001, 0),
        (GrantUsage(0, 0), 0, 1_000),
    ],
)
def test_a_use_that_would_exceed_a_limit_is_refused_entirely(
    usage: GrantUsage, minor: int, now: int
) -> None:
    """A use that exceeds the uses, sum or expiry is refused; nothing is reduced to fit."""
    assert standing_grants.reserve(BOUNDS, usage, minor, now) is None


def test_a_use_is_reserved_and_released() -> None:
    """Uses can reach the limit exactly, and a released use is available again."""
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
    usage, reserved = GrantUsage(), list[int]()
    for releases, minor, now in steps:
        if releases and reserved:
            usage = standing_grants.release(usage, reserved.pop())
            continue
        after = standing_grants.reserve(bounds, usage, minor, now)
        if after is not None:
            assert now < bounds.until
            usage = after
            reserved.append(minor)
        assert (usage.uses, usage.minor) == (len(reserved), sum(reserved))
        assert usage.uses <= uses
        assert usage.minor <= (total or 0)


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
    """A grant that exceeds a limit is not reduced silently."""
    terms = {"seconds": 60, "uses": 1, "costs": True, "total": Sum(1, "EUR"), **bounds}
    with pytest.raises(GrantNotAllowed) as refused:
        standing_grants.check_limits(risk, **terms)
    assert refused.value.where == where
    limit = LIMITS.get(risk)
    if where in {"seconds", "uses"}:
        assert limit is not None
        assert str(getattr(limit, where)) in refused.value.remedy


@pytest.mark.parametrize("risk", list(LIMITS))
def test_a_grant_may_reach_the_limit_of_its_risk(risk: Risk) -> None:
    """The approval of a grant has at least the risk that the grant covers."""
    limit = LIMITS[risk]
    standing_grants.check_limits(
        risk, seconds=limit.seconds, uses=limit.uses, costs=True, total=Sum(1, "EUR")
    )
    standing_grants.check_limits(risk, seconds=60, uses=1, costs=False, total=None)
    assert APPROVAL_RISK[risk].rank >= max(Risk.MEDIUM.rank, risk.rank)


def test_a_sum_is_in_the_only_currency_of_the_example() -> None:
    """The sum is entered as people write it, without a currency."""
    assert standing_grants.read_sum({"EUR": 1}, "20") == Sum(2_000, "EUR")
    assert standing_grants.read_sum({"EUR": 1}, None) is None
    too_large = "90071992547409.92"
    for money, text in (
        ({}, "1"),
        ({"EUR": 1, "USD": 1}, "1"),
        ({"EUR": 1}, "x"),
        ({"EUR": 1}, too_large),
    ):
        with pytest.raises(GrantNotAllowed):
            standing_grants.read_sum(money, text)


@pytest.mark.parametrize(
    ("path", "up_to", "limit"),
    [
        (("amount",), "20", LIMIT),
        (("rows",), "10", 10),
        (("note",), None, None),
        (("tags",), None, None),
        (("to", "name"), None, None),
    ],
)
def test_the_members_that_may_vary_are_read(
    path: tuple[str, ...], up_to: str | None, limit: Any
) -> None:
    """A number has a limit, and a string has none."""
    (vary,) = standing_grants.read_vary(EXAMPLE, [(path, up_to)], None)
    assert vary == VaryingMember(path, limit)
    assert standing_grants.from_json(standing_grants.as_json([vary])) == (vary,)


@pytest.mark.parametrize(
    ("path", "up_to"),
    [
        (("amount",), None),
        (("amount",), "20.001"),
        (("amount",), "90071992547409.92"),
        (("amount", "minor"), "20"),
        (("amount", "currency"), None),
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
    """Numbers with no limit, strings with one, booleans, objects and the target cannot vary."""
    with pytest.raises(GrantNotAllowed):
        standing_grants.read_vary(EXAMPLE, [(path, up_to)], ("to", "account"))


def test_a_varying_member_may_be_named_only_once() -> None:
    """Naming a member twice would be ambiguous."""
    with pytest.raises(GrantNotAllowed):
        standing_grants.read_vary(EXAMPLE, [(("note",), None), (("note",), None)], None)


def test_the_pattern_describes_varying_members() -> None:
    """Descriptions replace varying values, and the example itself is unchanged."""
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


@given(detail=_DETAIL, limit=st.integers(0, 2_500), varies=st.booleans())
def test_a_covered_request_equals_the_example_within_its_limits(
    *, detail: dict[str, Any], limit: int, varies: bool
) -> None:
    """A request that is not covered differs in the member that is named."""
    vary = (
        VaryingMember(("amount",), {"minor": limit, "currency": "EUR"}),
        VaryingMember(("note",)),
    )[: 1 + varies]
    request = {**EXAMPLE, **detail, "amount": {**EUR, "minor": detail["amount"]}}
    where = standing_grants.mismatch(_pattern(*vary), (), [request])
    fits = {
        "/amount": 0 <= detail["amount"] <= limit,
        "/note": varies or detail["note"] == EXAMPLE["note"],
        "/tags": detail["tags"] == EXAMPLE["tags"],
    }
    assert (where is None) == all(fits.values())
    if where is not None:
        assert not fits[where]
