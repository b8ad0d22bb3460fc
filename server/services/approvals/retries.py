"""Asking an agent to ask again: what a person who came too late can still say.

It answers nothing and gives nobody anything, so the session is enough. The agent reads it in the
answer to its next poll, `expired_token`, and asks anew or not; the old request stays expired.
"""

from dataclasses import dataclass
from typing import Literal

from server.model.approval_views import Shown
from server.model.approvals import Approval
from server.model.store import Store, Unit
from server.protocol import errors
from server.protocol.approvals.outcomes import NOT_REDEEMED
from server.protocol.approvals.states import State, overdue
from server.services.approvals.expiry import expire
from server.services.approvals.views import shown
from server.services.approvers import approvers
from server.services.audit import audit
from server.services.notifications import notices
from server.services.users import device_auth
from server.services.users.device_auth import Person

Retry = Literal["possible", "asked"]


def standing(approval: Approval) -> Retry | None:
    """Whether its agent was, or can be, asked to ask again; None where that cannot be.

    Only what nobody answered is asked again, and only an agent that polls can be told: one that is
    pushed to was told of the end, and does not come back for more.
    """
    if approval.retry_asked_at is not None:
        return "asked"
    lapsed = approval.state is State.EXPIRED and approval.reason != NOT_REDEEMED
    told = approval.kind == "action" and approval.delivery != "push"
    return "possible" if lapsed and told else None


@dataclass(frozen=True, slots=True)
class Retries:
    """Asks agents to ask again."""

    store: Store

    def ask(self, person: Person, approval_id: str) -> Shown:
        """Ask the agent of a request that expired to ask again; once, whoever of them does it.

        1. It is this person's.  2. It expired, nobody answered it, and its agent can be told.  3.
        The agent may ask at all.  4. Nobody did so before: then it is the same answer once more.
        Raises errors.Problem: 404, 409 `not_expired`, `not_retryable` or `agent_stopped`.
        """
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            approval = approvers.owned(tx, approval_id, person.user.id)
            if overdue(approval.state, approval.expires_at, tx.now):
                approval = expire(tx, approval) or approvers.owned(tx, approval_id, person.user.id)
            _check(tx, approval)
            is_first = tx.escalations.ask_again(approval.id, tx.now)
            asked = approvers.owned(tx, approval_id, person.user.id)
            if is_first:
                _record(tx, person, asked)
                notices.approval(tx, asked, "approval.retry_asked")
            return shown(tx, asked, person.user.id)


def _check(tx: Unit, approval: Approval) -> None:
    if approval.state is not State.EXPIRED:
        raise errors.Problem(409, "not_expired", f"This request is {approval.state}, not expired.")
    if standing(approval) is None:
        raise errors.Problem(
            409,
            "not_retryable",
            "Its agent cannot be told: it was approved, begun at a page, or its answer was pushed.",
        )
    agent = tx.directory.agent(approval.agent_id)
    if agent is None or not agent.active(tx.now):
        raise errors.Problem(409, "agent_stopped", "Its agent may ask nobody at the moment.")


def _record(tx: Unit, person: Person, approval: Approval) -> None:
    audit.record(
        tx,
        audit.approval_entry(
            approval,
            audit.Type.APPROVAL_RETRY_ASKED,
            actor=audit.by_user(person.user.id),
            facts={"device": person.registered_device.id, "expired_at": approval.expires_at},
        ),
    )
