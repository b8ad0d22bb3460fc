"""A signed answer and its accompanying members, as submitted and as stored.

Owns: checking its texts and the user that it names. Never: deciding whether the answer counts.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, cast

from server.model.approvals import Approval, Decision
from server.model.devices import Device
from server.model.store import View
from server.protocol import errors
from server.protocol.approvals import decisions
from server.services.approvals import votes
from server.services.approvals.ceremonies import NO_ENTRIES, CeremonyEntries
from server.services.approvers import approvers
from server.services.refusals import check_note

_MAX_NOTE = 500
"""The maximum length of a note or reason."""
_LATEST_RETRY_MS = 366 * 86_400_000


@dataclass(frozen=True, slots=True)
class SubmittedDecision:
    """A signed answer with its accompanying members."""

    jws: str
    note: str | None = None
    """A note for the agent."""
    granted: str | None = None
    """The granted text if the answer narrows the request; the signature covers its digest."""
    entries: CeremonyEntries = NO_ENTRIES
    retry_at: int | None = None
    """When the agent may ask again."""
    ask: str | None = None
    """Whom to ask instead: a name, email address or ID as submitted; later the resolved ID."""
    private_note: str | None = None
    """A note for the audit log, which agents do not see."""


def with_checked_texts(submitted_decision: SubmittedDecision) -> SubmittedDecision:
    """Check the texts and return the answer with their stored form. Raises errors.Problem 422."""
    check = partial(check_note, max_chars=_MAX_NOTE)
    entries = submitted_decision.entries
    return replace(
        submitted_decision,
        note=check(submitted_decision.note, what="note"),
        private_note=check(submitted_decision.private_note, what="private_note"),
        entries=replace(entries, reason=check(entries.reason, what="reason")),
    )


def with_checked_code(
    view: View, approval: Approval, submitted_decision: SubmittedDecision, code: str | None
) -> SubmittedDecision:
    """Check the members that depend on the denial code, and resolve `ask`.

    Raises errors.Problem 422.
    """
    _check_allowed_with_code(code, "retry_at", submitted_decision.retry_at)
    _check_allowed_with_code(code, "ask", submitted_decision.ask)
    if (
        submitted_decision.retry_at is not None
        and not 0 < submitted_decision.retry_at - view.now <= _LATEST_RETRY_MS
    ):
        raise errors.invalid_body("/retry_at: must be in the future, within 366 days.")
    return (
        submitted_decision
        if submitted_decision.ask is None
        else replace(submitted_decision, ask=_find_user(view, approval, submitted_decision.ask))
    )


def stored_decision(
    view: View,
    approval: Approval,
    device: Device,
    payload: decisions.Decision,
    submitted_decision: SubmittedDecision,
) -> Decision:
    """Return the answer in its stored form; only a denial can contain a note for the agent."""
    denies, withdraws = payload.decision == "deny", payload.decision == "withdraw"
    approver = approvers.find(view, approval, device.user_id)
    return Decision(
        approval_id=approval.id,
        user_id=device.user_id,
        device_id=device.id,
        decision=cast('Literal["approve", "deny", "withdraw"]', payload.decision),
        code=payload.code,
        note=submitted_decision.note if denies else None,
        private_note=submitted_decision.private_note,
        retry_at=submitted_decision.retry_at,
        ask_user=submitted_decision.ask,
        reason=None if denies else submitted_decision.entries.reason,
        ceremony=payload.ceremony,
        channel=device.kind,
        jws=submitted_decision.jws,
        at=view.now,
        stands_for=None if approver is None else approver.stands_for,
        voided_at=view.now if withdraws else None,
        withdrawals=votes.withdrawals(view, approval, device.user_id) + withdraws,
    )


def is_repeat(decision: Decision, other: Decision) -> bool:
    """Return whether one answer repeats the other, for example after a lost response.

    A repeat comes from the same device and has the same content; the time of signing may differ.
    """
    return _content(decision) == _content(other)


def _content(answer: Decision) -> tuple[object, ...]:
    texts = (answer.note, answer.private_note, answer.reason)
    code_members = (answer.code, answer.retry_at, answer.ask_user)
    return answer.device_id, answer.decision, code_members, texts


def _check_allowed_with_code(code: str | None, member: str, value: object) -> None:
    allowed = [
        name for name, deny_code in decisions.DENY_CODES.items() if deny_code.takes == member
    ]
    if value is not None and code not in allowed:
        detail = f"/{member}: allowed only with the code {' or '.join(allowed)}."
        raise errors.invalid_body(detail)


def _find_user(view: View, approval: Approval, name_or_id: str) -> str:
    """Return the ID of the person to ask instead. Raises errors.Problem 422."""
    user, agent = view.directory.find_user(name_or_id), view.directory.agent(approval.agent_id)
    allowed_ids = None if agent is None else agent.asks
    if (
        user is None
        or not user.enabled
        or user.id == approval.user_id
        or not view.directory.includes(allowed_ids, user.id)
    ):
        raise errors.invalid_body("/ask: must be a different user whom this agent can ask.")
    return user.id
