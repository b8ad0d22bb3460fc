"""Asks an agent to retry an expired request.

This grants nothing, so a session suffices. At its next poll, the agent gets `expired_token` with
`retry`, and can then send a new request. The old request stays expired.
"""

from dataclasses import dataclass
from typing import Literal

from server.model.approval_views import ApproverView
from server.model.approvals import Approval
from server.model.store import Store, Unit
from server.protocol import errors
from server.protocol.approvals.outcomes import NOT_REDEEMED
from server.protocol.approvals.states import State
from server.services.approvals.expiry import expire_if_overdue
from server.services.approvals.views import approver_view
from server.services.approvers import approvers
from server.services.audit import audit
from server.services.notifications import notices
from server.services.users import device_auth
from server.services.users.device_auth import Person

RetryStatus = Literal["possible", "asked"]


def retry_status(approval: Approval) -> RetryStatus | None:
    """Return `asked` or `possible` for a retry by the agent; None if it cannot retry.

    Only unanswered requests from agents that poll can be retried: an agent with push delivery is
    notified of the expiry once and does not poll.
    """
    if approval.retry_asked_at is not None:
        return "asked"
    unanswered = approval.state is State.EXPIRED and approval.reason != NOT_REDEEMED
    polls = approval.kind == "action" and approval.delivery != "push"
    return "possible" if unanswered and polls else None


@dataclass(frozen=True, slots=True)
class Retries:
    """Asks agents to retry."""

    store: Store

    def ask(self, person: Person, approval_id: str) -> ApproverView:
        """Ask the agent of an expired request to retry. Idempotent across approvers.

        Rules, in order: 1. This person is an approver. 2. It expired unanswered, and its agent
        polls. 3. The agent is enabled. 4. Only the first call is recorded; later ones return the
        same. Raises errors.Problem: 404, 409 `not_expired`, `not_retryable` or `agent_disabled`.
        """
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            approval = expire_if_overdue(
                tx, approvers.get_for_approver(tx, approval_id, person.user.id)
            )
            _check_retryable(tx, approval)
            is_first = tx.escalations.request_retry(approval.id, tx.now)
            expired_request = approvers.get_for_approver(tx, approval_id, person.user.id)
            if is_first:
                _record(tx, person, expired_request)
                notices.approval(tx, expired_request, "approval.retry_asked")
            return approver_view(tx, expired_request, person.user.id)


def _check_retryable(tx: Unit, approval: Approval) -> None:
    if approval.state is not State.EXPIRED:
        raise errors.Problem(409, "not_expired", f"This request is {approval.state}, not expired.")
    if retry_status(approval) is None:
        raise errors.Problem(
            409,
            "not_retryable",
            "This request cannot be retried: it was approved, it was started on a page, or "
            "its agent uses push delivery.",
        )
    agent = tx.directory.agent(approval.agent_id)
    if agent is None or not agent.active(tx.now):
        raise errors.Problem(409, "agent_disabled", "The agent of this request is not enabled.")


def _record(tx: Unit, person: Person, approval: Approval) -> None:
    tx.audit.add(
        audit.approval_entry(
            approval,
            audit.Type.APPROVAL_RETRY_ASKED,
            actor=audit.by_user(person.user.id),
            facts={"device": person.registered_device.id, "expired_at": approval.expires_at},
        ),
    )
