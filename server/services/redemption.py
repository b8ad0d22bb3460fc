"""From an approval to its one token set, whichever way it then reaches the agent.

The poll that asks for it and the push that brings it come here; nothing else makes tokens of one.
"""

from dataclasses import dataclass
from typing import Final

from server.protocol import ciba, decisions, errors
from server.protocol.states import State
from server.services import audit, notices
from server.services.ports import Unit
from server.services.records import Agent, Approval
from server.services.rights import Rights
from server.services.tokens import Issuing
from server.services.withdrawals import withdraw

UNPROVED: Final = "This came of a bound token: send a proof of its key."


@dataclass(frozen=True, slots=True)
class Redemption:
    """Redeems approvals, and says why one gives nothing."""

    issuing: Issuing
    rights: Rights

    def redeem(
        self, tx: Unit, agent: Agent, approval: Approval, *, jkt: str | None
    ) -> dict[str, object] | errors.ProtocolError:
        """The token answer. Only the one UPDATE that moves the approval lets it be made."""
        if (gone := self.rights.gone(tx, approval)) is not None:
            withdraw(tx, [approval], reason=gone, actor=audit.SYSTEM)
            return ciba.no_tokens(
                State.CANCELLED, {"reason": ciba.told_reason(State.CANCELLED, gone)}
            )
        if not proves(tx, approval.parent_id, jkt):
            return errors.InvalidDpopProof(UNPROVED)
        moved = tx.approvals.move(approval.id, State.REDEEMED, now=tx.now)
        if moved is None:
            return ciba.no_tokens(State.REDEEMED, {})
        answer = self.issuing.for_approval(tx, agent, moved, jkt=jkt)
        answer["fingerprint"] = decisions.fingerprint(moved.action_digest)
        notices.approval(tx, moved, "approval.redeemed")
        return answer

    def refusal(self, tx: Unit, approval: Approval) -> errors.ProtocolError:
        """What an agent is told of an approval that gives no tokens."""
        return ciba.no_tokens(approval.state, self._why(tx, approval))

    def _why(self, tx: Unit, approval: Approval) -> dict[str, object]:
        """The extension members that tell an agent what happened and what it may do next."""
        if approval.state is not State.DENIED:
            reason = ciba.told_reason(approval.state, approval.reason)
            hidden = reason == "no_device" and self.issuing.rules.hide_unknown_users
            # Only somebody who exists can lack a device.
            return {"reason": "expired_unseen" if hidden else reason}
        answer = tx.decisions.of_approval(approval.id)[-1]
        code = decisions.DENY_CODES.get(answer.code or "")
        members = {
            "reason": "denied",
            "deny_code": answer.code,
            "note": answer.note,
            "retry": None if code is None else code.retry,
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
