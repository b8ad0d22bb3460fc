"""The text that an approval grants, which may be narrower than the request."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.model.approvals import Approval
from server.protocol.approvals import decisions, kinds, narrowing
from server.protocol.approvals.narrowing import Terms
from server.protocol.approvals.states import State
from server.protocol.json_text import JsonValue


@dataclass(frozen=True, slots=True)
class GrantDifference:
    """A fact that differs between the request and the grant."""

    label: str
    asked: str
    granted: str


def effective_terms(approval: Approval) -> Terms:
    """Return the terms of this approval's token: the granted ones if the request was narrowed."""
    if approval.granted is not None:
        return narrowing.terms(approval.granted)
    return Terms(tuple(json.loads(approval.details)), tuple(approval.scope.split()))


def effective_digest(approval: Approval) -> str:
    """Return the digest of the granted action."""
    if approval.granted is None:
        return approval.action_digest
    return decisions.digest(approval.granted)


def differences_of(approval: Approval) -> list[GrantDifference]:
    """Return the facts that differ between the request and the grant."""
    if approval.granted is None:
        return []
    return [GrantDifference(**row) for row in json.loads(approval.granted_rows)["rows"]]


def granted_headline(approval: Approval) -> str | None:
    """Return the granted headline, or None if the request was not narrowed."""
    if approval.granted is None:
        return None
    return str(json.loads(approval.granted_rows)["headline"])


def headline(approval: Approval) -> str:
    """Return the headline of a request, with the granted one first if it was narrowed."""
    asked = str(json.loads(approval.display).get("headline", ""))
    return headline_in_state(asked, granted_headline(approval), approval.state)


def headline_in_state(asked: str, granted: str | None, state: str) -> str:
    """Combine the requested and the granted headline, depending on the state, for all screens."""
    if granted is None:
        return asked
    was_granted = state in {State.APPROVED, State.REDEEMED}
    if granted == asked:
        return f"{'Granted with limits' if was_granted else 'With limits'}: {asked}"
    return f"{'Granted' if was_granted else 'With limits'}: {granted} (requested: {asked})"


def granted_digest_with(approval: Approval, details: Sequence[Mapping[str, JsonValue]]) -> str:
    """Return the digest of the granted text with its details replaced by these details."""
    if approval.kind == "app_action":
        details = kinds.app_action_details(details)
    text = approval.granted or approval.action
    return decisions.digest_with_details(text, [dict(detail) for detail in details])
