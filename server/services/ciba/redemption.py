"""From an approval to its one token set, whichever way it then reaches the agent.

The poll that asks for it and the push that brings it come here; nothing else makes tokens of one.
"""

from dataclasses import dataclass
from typing import Final

from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.store import Unit
from server.protocol import errors
from server.protocol.approvals import decisions, outcomes
from server.protocol.approvals.states import State
from server.protocol.ciba import requests
from server.services.approvals import votes
from server.services.approvals.current_checks import ApprovalChecks
from server.services.approvals.withdrawals import withdraw
from server.services.audit import audit
from server.services.notifications import notices
from server.services.policy.displays import rfc3339
from server.services.standing_grants import reservations
from server.services.tokens.issuing import Issuing

UNPROVED: Final = "This came of a bound token: send a proof of its key."


@dataclass(frozen=True, slots=True)
class Redemption:
    """Redeems approvals, and says why one gives nothing."""

    issuing: Issuing
    checks: ApprovalChecks

    def redeem(
        self, tx: Unit, agent: Agent, approval: Approval, handle: str, *, jkt: str | None
    ) -> dict[str, object] | errors.ProtocolError:
        """The token answer. Only the one UPDATE that moves the approval lets it be made.

        `handle` is its `auth_req_id`.
        """
        reservations.lock_grant(tx, approval)
        if (gone := self.checks.invalid_reason(tx, approval)) is not None:
            withdraw(tx, [approval], reason=gone, actor=audit.SYSTEM)
            return requests.no_tokens(
                State.CANCELLED, {"reason": outcomes.agent_reason(State.CANCELLED, gone)}
            )
        if not proves(tx, approval.parent_id, jkt):
            return errors.InvalidDpopProof(UNPROVED)
        if not tx.approvals.redeem(approval.id, tx.now):
            return requests.no_tokens(State.REDEEMED, {})
        reservations.spend(tx, approval)
        answer = self.issuing.for_approval(tx, agent, approval, handle, jkt=jkt)
        answer["fingerprint"] = decisions.fingerprint(approval.action_digest)
        notices.approval(tx, approval, "approval.redeemed")
        return answer

    def refusal(self, tx: Unit, approval: Approval) -> errors.ProtocolError:
        """What an agent is told of an approval that gives no tokens."""
        return requests.no_tokens(approval.state, self._why(tx, approval), approval.reason)

    def _why(self, tx: Unit, approval: Approval) -> dict[str, object]:
        """The extension members that tell an agent what happened and what it may do next."""
        if approval.state is not State.DENIED:
            hidden = self.issuing.rules.hide_unknown_users
            by_person = approval.decided_by is None
            reason = outcomes.agent_reason(
                approval.state, approval.reason, hidden=hidden, by_person=by_person
            )
            wanted = {} if approval.retry_asked_at is None else {"retry": outcomes.RETRY_WANTED}
            return {"reason": reason, **wanted}
        answer = votes.denial(tx.decisions.of_approval(approval.id))
        other = None if answer.ask_user is None else tx.directory.user(answer.ask_user)
        code = decisions.DENY_CODES.get(answer.code or "")
        members = {
            "reason": "denied",
            "deny_code": answer.code,
            "note": answer.note,
            "retry": None if code is None else code.retry,
            "retry_at": None if answer.retry_at is None else rfc3339(answer.retry_at),
            "login_hint": None if other is None else other.name,
        }
        return {name: value for name, value in members.items() if value is not None}


def in_force(tx: Unit, approval: Approval) -> bool:
    """Reports whether the token that came out was not revoked since."""
    issued = tx.delegations.of_approval(approval.id)
    return issued is not None and issued.revoked_at is None


def proves(tx: Unit, parent_id: str | None, jkt: str | None) -> bool:
    """Reports whether the key of a bound parent is proved; no bearer token comes of it."""
    parent = None if parent_id is None else tx.delegations.get(parent_id)
    return parent is None or parent.jkt in {None, jkt}
