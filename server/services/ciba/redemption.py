"""Redeems an approval for its only token response, for polls and pushes."""

import json
from dataclasses import dataclass
from typing import Final, TypeAlias

from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.ports import Secrets
from server.model.store import Unit
from server.protocol import errors
from server.protocol.approvals import decisions, outcomes
from server.protocol.approvals.states import State
from server.protocol.ciba import requests
from server.protocol.times import rfc3339_or_none
from server.services.approvals import votes
from server.services.approvals.current_checks import ApprovalChecks
from server.services.approvals.withdrawals import withdraw
from server.services.audit import audit
from server.services.notifications import notices
from server.services.standing_grants import uses
from server.services.tokens.issuing import TokenIssuer

Answer: TypeAlias = dict[str, object]
"""The members of a token response."""

PROOF_MISSING: Final = "The parent token is bound to a key. Send a DPoP proof signed with that key."


@dataclass(frozen=True, slots=True)
class Redemption:
    """Redeems approvals, and returns the error for those that do not allow tokens."""

    issuing: TokenIssuer
    checks: ApprovalChecks

    def redeem(
        self, tx: Unit, agent: Agent, approval: Approval, handle: str, *, jkt: str | None
    ) -> Answer | errors.ProtocolError:
        """Return the token response; the UPDATE that redeems the approval succeeds only once.

        `handle` is its `auth_req_id`.
        """
        self.checks.evaluator.lock_counts(tx, agent)
        uses.lock_grant(tx, approval)
        if (reason := self.checks.invalid_reason(tx, approval)) is not None:
            withdraw(tx, [approval], reason=reason, actor=audit.SYSTEM)
            return requests.poll_error(
                State.CANCELLED, {"reason": outcomes.agent_reason(State.CANCELLED, reason)}
            )
        if not is_key_proved(tx, approval.parent_id, jkt):
            return errors.InvalidDpopProof(PROOF_MISSING)
        if not tx.approvals.redeem(approval.id, tx.now):
            return requests.poll_error(State.REDEEMED, {})
        uses.spend(tx, approval)
        answer = self.issuing.for_approval(tx, agent, approval, handle, jkt=jkt)
        answer["fingerprint"] = decisions.fingerprint(approval.action_digest)
        notices.approval(tx, approval, "approval.redeemed")
        return answer

    def refusal(self, tx: Unit, approval: Approval) -> errors.ProtocolError:
        """Return the error for an approval that does not allow tokens."""
        return requests.poll_error(
            approval.state, self._error_members(tx, approval), approval.reason
        )

    def _error_members(self, tx: Unit, approval: Approval) -> dict[str, object]:
        """Return the extension members that tell an agent what happened and what it may do next."""
        if approval.state is not State.DENIED:
            hidden = self.issuing.server_policy.hide_unknown_users
            by_person = approval.decided_by is None
            reason = outcomes.agent_reason(
                approval.state, approval.reason, hidden=hidden, by_person=by_person
            )
            retry = {} if approval.retry_asked_at is None else {"retry": outcomes.RETRY_WANTED}
            return {"reason": reason, **retry}
        answer = votes.denial(tx.decisions.of_approval(approval.id))
        ask_instead = None if answer.ask_user is None else tx.directory.user(answer.ask_user)
        code = decisions.DENY_CODES.get(answer.code or "")
        members = {
            "reason": "denied",
            "deny_code": answer.code,
            "note": answer.note,
            "retry": None if code is None else code.retry,
            "retry_at": rfc3339_or_none(answer.retry_at),
            "login_hint": None if ask_instead is None else ask_instead.name,
        }
        return {name: value for name, value in members.items() if value is not None}


def store_answer(
    tx: Unit, secrets: Secrets, approval: Approval, answer: Answer, key: bytes, until: int
) -> None:
    """Seal and store the token response, which the same client may get again until this time."""
    sealed = secrets.seal(f"answer:{approval.id}", json.dumps(answer).encode())
    tx.approvals.keep_answer(approval.id, sealed, key, until)


def stored_answer(secrets: Secrets, approval: Approval) -> Answer:
    """Return the token response of this approval again."""
    answer: Answer = json.loads(secrets.open(f"answer:{approval.id}", approval.answer or b""))
    return answer


def is_token_live(tx: Unit, approval: Approval) -> bool:
    """Return whether the approval's token is not revoked."""
    issued = tx.delegations.of_approval(approval.id)
    return issued is not None and issued.revoked_at is None


def is_key_proved(tx: Unit, parent_id: str | None, jkt: str | None) -> bool:
    """Return whether the key of a bound parent token is proved."""
    parent = None if parent_id is None else tx.delegations.get(parent_id)
    return parent is None or parent.jkt in {None, jkt}
