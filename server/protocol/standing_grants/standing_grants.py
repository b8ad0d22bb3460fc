"""Standing grants: approvals in advance, the requests they cover, and the count of their uses.

Owns: the pattern, the bounds, the limits of each risk, reserving and releasing a use.
Never: rows, who may create a grant, or the signed text (`approvals/kinds.py`).

A grant covers requests for its scopes or fewer, with details that equal those of its example. A
member that may vary can be any string, or a number or money up to a limit. A request that exceeds
the remaining uses or amount is not covered at all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from server.protocol import json_text
from server.protocol.approvals import narrowing
from server.protocol.json_text import JsonValue
from server.protocol.policy import rendering
from server.protocol.policy import uses as pointers
from server.protocol.policy.risks import Risk
from server.protocol.policy.uses import Path

MAX_USES: Final = 1_000_000
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
MIN_SECONDS: Final = _MINUTE
"""The minimum duration in seconds."""


class GrantNotAllowed(ValueError):
    """A grant is not allowed. `where` names the invalid member, `remedy` says what to change."""

    def __init__(self, where: str, remedy: str) -> None:
        super().__init__(f"{where}: {remedy}")
        self.where = where
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Sum:
    """An amount in minor units of one currency."""

    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class VaryingMember:
    """A member that may differ from the example, up to a limit if it has one."""

    path: Path
    up_to: JsonValue = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """The pattern that a request must match."""

    scope: frozenset[str]
    details: tuple[Mapping[str, JsonValue], ...]
    """The details of the example: one object or none."""
    vary: tuple[VaryingMember, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """The expiry, the maximum number of uses and the maximum total amount."""

    until: int
    """Milliseconds since the epoch."""
    uses: int
    sum: Sum | None
    """None if the details have no amount of money."""


@dataclass(frozen=True, slots=True)
class GrantUsage:
    """The number of uses and the amount so far, including reserved uses."""

    uses: int = 0
    minor: int = 0


@dataclass(frozen=True, slots=True)
class RiskLimit:
    """The limits of grants that cover a risk."""

    seconds: int
    uses: int


LIMITS: Final[Mapping[Risk, RiskLimit]] = {
    Risk.LOW: RiskLimit(30 * _DAY, MAX_USES),
    Risk.MEDIUM: RiskLimit(8 * _HOUR, 20),
    Risk.HIGH: RiskLimit(_HOUR, 5),
}
"""The limits by risk of the covered requests; critical requests cannot be covered."""

APPROVAL_RISK: Final[Mapping[Risk, Risk]] = {
    Risk.LOW: Risk.MEDIUM,
    Risk.MEDIUM: Risk.HIGH,
    Risk.HIGH: Risk.HIGH,
}
"""The risk of the approval that creates a grant, by the risk it covers: one level higher, but at
most high. For high risk, an administrator must have allowed such grants for the agent."""


def mismatch(
    pattern: Pattern, scope: Collection[str], details: Sequence[Mapping[str, JsonValue]]
) -> str | None:
    """Return the pointer of the first value that is not covered, or None if all are covered."""
    if not set(scope) <= pattern.scope:
        return "scope"
    if len(details) != len(pattern.details):
        return "authorization_details"
    rules = {vary.path: vary for vary in pattern.vary}
    for example, detail in zip(pattern.details, details, strict=True):
        difference = _first_difference({**example}, {**detail}, (), rules)
        if difference is not None:
            return pointers.as_pointer(difference) or "authorization_details"
    return None


def cost(bounds: Bounds, money: Mapping[str, int]) -> int | None:
    """Return the amount that a request takes from the total, or None for another currency.

    `money` is the sum of the request's amounts by currency.
    """
    if not money:
        return 0
    if bounds.sum is None or money.keys() != {bounds.sum.currency}:
        return None
    return money[bounds.sum.currency]


def reserve(bounds: Bounds, usage: GrantUsage, minor: int, now: int) -> GrantUsage | None:
    """Return the usage after one more use, or None if a bound would be exceeded."""
    max_amount = 0 if bounds.sum is None else bounds.sum.minor
    is_within_bounds = usage.uses < bounds.uses and usage.minor + minor <= max_amount
    return (
        GrantUsage(usage.uses + 1, usage.minor + minor)
        if is_within_bounds and now < bounds.until
        else None
    )


def release(usage: GrantUsage, minor: int) -> GrantUsage:
    """Return the usage after a reserved use is released."""
    return GrantUsage(usage.uses - 1, usage.minor - minor)


def check_limits(risk: Risk, *, seconds: int, uses: int, costs: bool, total: Sum | None) -> None:
    """Check the bounds of a new grant against the limits of its risk. Raises GrantNotAllowed."""
    limit = LIMITS.get(risk)
    if limit is None:
        raise GrantNotAllowed("risk", "critical requests cannot have a standing grant")
    if not MIN_SECONDS <= seconds <= limit.seconds:
        raise GrantNotAllowed("seconds", f"must be {MIN_SECONDS} to {limit.seconds} at {risk} risk")
    if not 1 <= uses <= limit.uses:
        raise GrantNotAllowed("uses", f"must be 1 to {limit.uses} at {risk} risk")
    if costs and total is None:
        raise GrantNotAllowed("sum", "set a total amount, because the request is about money")
    if total is not None and not costs:
        raise GrantNotAllowed("sum", "leave it out, because the request has no amount of money")


def read_sum(money: Mapping[str, int], text: str | None) -> Sum | None:
    """Parse a total amount in the currency of the example. Raises GrantNotAllowed."""
    if text is None:
        return None
    if len(money) != 1:
        raise GrantNotAllowed("sum", "this request is not about money in one currency")
    currency = next(iter(money))
    return Sum(_read_number("sum", text, rendering.minor_digits(currency)), currency)


def read_vary(
    example: Mapping[str, JsonValue],
    varying: Sequence[tuple[Path, str | None]],
    target: Path | None,
) -> tuple[VaryingMember, ...]:
    """Parse the members that may vary, with their limits. Raises GrantNotAllowed.

    `target` is the action type's target, which may not vary.
    """
    members = [_read_varying_member(example, path, up_to, target) for path, up_to in varying]
    if len({vary.path for vary in members}) != len(members):
        raise GrantNotAllowed("vary", "each member can appear only once")
    return tuple(sorted(members, key=lambda vary: vary.path))


def with_variations(
    example: Mapping[str, JsonValue], vary: Sequence[VaryingMember]
) -> dict[str, JsonValue]:
    """Return the example, with descriptions instead of the values that may vary."""
    described: dict[str, Any] = cast("dict[str, Any]", _copy({**example}))
    for member in vary:
        holder = described
        for step in member.path[:-1]:
            holder = holder[step]
        free = member.up_to is None
        holder[member.path[-1]] = "anything" if free else f"up to {rendering.render(member.up_to)}"
    return described


def as_json(vary: Sequence[VaryingMember]) -> list[JsonValue]:
    """Return the members that may vary, in the form that is signed and stored."""
    return [{"path": pointers.as_pointer(member.path), "up_to": member.up_to} for member in vary]


def from_json(members: Sequence[JsonValue]) -> tuple[VaryingMember, ...]:
    """Parse the result of `as_json`."""
    objects = [cast("dict[str, Any]", member) for member in members]
    return tuple(
        VaryingMember(pointers.as_path(member["path"]), member["up_to"]) for member in objects
    )


def _read_varying_member(
    example: Mapping[str, JsonValue], path: Path, up_to: str | None, target: Path | None
) -> VaryingMember:
    where = pointers.as_pointer(path)
    value = _value_at(example, path)
    if target is not None and path == target[: len(path)]:
        raise GrantNotAllowed(where, "cannot vary, because it identifies the target")
    if pointers.has_money_members(value):
        digits = rendering.minor_digits(value["currency"])
        return VaryingMember(path, {**value, "minor": _read_limit(where, up_to, digits)})
    if pointers.is_integer(value):
        return VaryingMember(path, _read_limit(where, up_to, 0))
    if not _is_text(value):
        raise GrantNotAllowed(
            where, "cannot vary; only a number, money, a string or a list of strings can"
        )
    if up_to is not None:
        raise GrantNotAllowed(where, "is a string, which has no limit; leave up_to out")
    return VaryingMember(path)


def _read_limit(where: str, text: str | None, digits: int) -> int:
    if text is None:
        raise GrantNotAllowed(where, "needs up_to, because a number can vary only up to a limit")
    return _read_number(where, text, digits)


def _read_number(where: str, text: str, digits: int) -> int:
    try:
        return narrowing.read_number(text, digits)
    except ValueError as error:
        raise GrantNotAllowed(where, str(error)) from None


def _value_at(example: Mapping[str, JsonValue], path: Path) -> JsonValue:
    value: JsonValue = {**example}
    for step in path:
        if not isinstance(value, dict) or step not in value:
            raise GrantNotAllowed(pointers.as_pointer(path), "is not in this request")
        if pointers.has_money_members(value):
            raise GrantNotAllowed(
                pointers.as_pointer(path), "is part of an amount; name the whole amount"
            )
        value = value[step]
    if path == ("type",):
        raise GrantNotAllowed("/type", "cannot vary")
    return value


def _first_difference(
    example: JsonValue, requested: JsonValue, trail: Path, rules: Mapping[Path, VaryingMember]
) -> Path | None:
    """Return the path of the first difference that is not allowed, or None."""
    if (rule := rules.get(trail)) is not None:
        return None if _is_within_limit(rule.up_to, example, requested) else trail
    if (
        isinstance(example, dict)
        and isinstance(requested, dict)
        and example.keys() == requested.keys()
    ):
        differences = (
            _first_difference(example[name], requested[name], (*trail, name), rules)
            for name in sorted(example)
        )
        return next((path for path in differences if path is not None), None)
    return None if json_text.canonical(example) == json_text.canonical(requested) else trail


def _is_within_limit(limit: JsonValue, example: JsonValue, requested: JsonValue) -> bool:
    """Return whether a varying value has the example's type and is within the limit."""
    if limit is None:
        return _is_text(requested) and isinstance(requested, type(example))
    if pointers.has_money_members(limit) and pointers.has_money_members(requested):
        same_currency = limit["currency"] == requested["currency"]
        return same_currency and _is_within_limit(
            limit["minor"], limit["minor"], requested["minor"]
        )
    return pointers.is_integer(limit) and pointers.is_integer(requested) and 0 <= requested <= limit


def _is_text(value: JsonValue) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return isinstance(value, str)


def _copy(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _copy(member) for name, member in value.items()}
    return value
