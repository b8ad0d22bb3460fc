"""The members of a request that may vary under a standing grant, as the user reads them.

Owns: which members there are, their labels and values; how a past request differs. Never:
showing a JSON pointer; whether a member may really vary, which the server decides.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.narrowing import DETAILS
from approver_tui.state.currencies import amounts
from approver_tui.state.money import money_fact
from approver_tui.state.text import SafeText, display_safe

_MAX_LENGTH = 200
_DIFFERENCES: Mapping[str, str] = {
    DETAILS: "other details",
    "resource": "a different API",
    "risk": "a higher risk",
    "scope": "more scopes",
    "sum": "more than the total amount",
    "uses": "more uses than allowed",
}


@dataclass(frozen=True, slots=True)
class VaryingMember:
    """A member of the details."""

    pointer: str
    label: SafeText
    value: SafeText
    is_limited: bool
    """Whether it is a number or money, which varies up to a limit."""


def varying_members(approval: Approval) -> tuple[VaryingMember, ...]:
    """Return the members of the request's details; none if it has several details."""
    details = json.loads(approval.action_text)[DETAILS]
    members = _members(details[0], ()) if len(details) == 1 else iter(())
    return tuple(_member(approval, path, value) for path, value in members if path != ("type",))


def currency_text(approval: Approval) -> SafeText:
    """Return the currencies of the request's amounts of money; empty if it has none."""
    details = json.loads(approval.action_text)[DETAILS]
    return display_safe(", ".join(sorted({currency for currency, _ in amounts(details)})))


def difference(members: Sequence[VaryingMember], mismatch: SafeText) -> SafeText:
    """Return how a past request differs; `mismatch` is the server's word or pointer."""
    for member in members:
        if mismatch in {member.pointer, f"{member.pointer}/currency"}:
            return SafeText(f"a different {member.label.lower()}")
    other = "other details" if mismatch.startswith("/") else mismatch
    return SafeText(_DIFFERENCES.get(mismatch, other))


def _members(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, dict) and value.keys() != {"minor", "currency"}:
        for name, member in value.items():
            yield from _members(member, (*path, name))
    elif isinstance(value, dict | list | str) or type(value) is int:
        yield path, value


def _member(approval: Approval, path: tuple[str, ...], value: object) -> VaryingMember:
    """Return a member, with the label and value of the fact that shows it if there is one."""
    pointer_steps = (step.replace("~", "~0").replace("/", "~1") for step in path)
    value_text = json.dumps(value) if isinstance(value, dict | list) else f"{value}"
    if type(value) is int:
        value_text = f"{value:,}"
    fact = money_fact(approval, value) if isinstance(value, dict) else None
    if fact is None:
        safe_text = display_safe(value_text, max_len=_MAX_LENGTH)
        fact = next(
            (candidate for candidate in approval.display.facts if candidate.value == safe_text),
            None,
        )
    label = " ".join(path).replace("_", " ").capitalize()
    return VaryingMember(
        pointer="/" + "/".join(pointer_steps),
        label=display_safe(label, max_len=_MAX_LENGTH) if fact is None else fact.label,
        value=display_safe(value_text, max_len=_MAX_LENGTH) if fact is None else fact.value,
        is_limited=isinstance(value, dict) or type(value) is int,
    )
