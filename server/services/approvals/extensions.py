"""Extends a pending request (WCAG 2.2.1), for approvers who need more time to read.

An extension grants nothing, so a session suffices. The agent gets the new expiry at its next poll.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from server.model.approval_views import ApproverView
from server.model.approvals import Approval
from server.model.store import Store, Unit, View
from server.protocol import errors
from server.protocol.policy.risks import Risk
from server.services.approvals.views import approver_view
from server.services.approvers import approvers
from server.services.audit import audit
from server.services.notifications import attention, notices
from server.services.users import device_auth
from server.services.users.device_auth import Person

MAX_EXTENSIONS: Final[Mapping[Risk, int | None]] = {
    Risk.LOW: None,
    Risk.MEDIUM: 3,
    Risk.HIGH: 2,
    Risk.CRITICAL: 2,
}
"""The maximum number of extensions; None for no limit. Only owners can extend critical requests."""


def extensions_left(approval: Approval) -> int | None:
    """Return the number of remaining extensions; None for no limit."""
    if approval.kind != "action":
        return 0
    limit = MAX_EXTENSIONS[approval.risk]
    return None if limit is None else max(0, limit - approval.extensions)


@dataclass(frozen=True, slots=True)
class Extensions:
    """Extends pending requests."""

    store: Store

    def extend(self, person: Person, approval_id: str) -> ApproverView:
        """Extend a request by its original lifetime, from now.

        Checks, in order, that: 1. this user is an approver; 2. the request is pending; 3. the user
        may extend it, and the limit is not reached; 4. the new expiry is later, but not after the
        expiry of its subject token. Raises errors.Problem: 404, 409 `not_pending` or
        `not_extendable`, 403 `forbidden`.
        """
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            approval = approvers.get_for_approver(tx, approval_id, person.user.id)
            until = _new_expiry(tx, person, approval)
            is_extended = tx.escalations.extend(
                approval.id,
                expected=approval.expires_at,
                until=until,
                escalate_at=attention.halfway(tx.now, until),
                now=tx.now,
            )
            if not is_extended:
                raise errors.Problem(
                    409, "not_pending", "This request has just changed. Load it again."
                )
            extended = replace(
                approval, expires_at=until, extensions=approval.extensions + 1, escalated=0
            )
            _record(tx, person, approval, until)
            notices.approval(tx, extended, "approval.extended")
            return approver_view(tx, extended, person.user.id)

    def can_extend(self, person: Person, approval_id: str) -> bool:
        """Return whether this person can extend the request now. Raises errors.Problem 404."""
        with self.store.read() as view:
            approval = approvers.get_for_approver(view, approval_id, person.user.id)
            try:
                _new_expiry(view, person, approval)
            except errors.Problem:
                return False
            return True


def _new_expiry(view: View, person: Person, approval: Approval) -> int:
    """Return the new expiry. Raises errors.Problem if the request cannot be extended."""
    if not approval.is_pending(view.now):
        raise errors.Problem(409, "not_pending", "This request is no longer pending.")
    _check_extendable(view, person, approval)
    return _limited_expiry(view, approval)


def _check_extendable(view: View, person: Person, approval: Approval) -> None:
    if approval.kind != "action":
        raise _not_extendable(
            "This request was not sent by an agent. Start again on the page or device that sent it."
        )
    if extensions_left(approval) == 0:
        raise _not_extendable(
            f"You can extend a {approval.risk}-risk request {MAX_EXTENSIONS[approval.risk]} times."
        )
    agent = view.directory.agent(approval.agent_id)
    owners = () if agent is None else agent.owners
    if approval.risk is Risk.CRITICAL and person.user.id not in owners:
        raise errors.Problem(
            403, "forbidden", "Only an owner of the agent can extend a critical request."
        )


def _limited_expiry(view: View, approval: Approval) -> int:
    """Return the new expiry, which is never after the expiry of the exchange's subject token."""
    until = view.now + approval.life_ms
    parent = None if approval.parent_id is None else view.delegations.get(approval.parent_id)
    if parent is not None:
        until = min(until, parent.expires_at)
    if until <= approval.expires_at:
        raise _not_extendable("This request cannot be extended any further.")
    return until


def _not_extendable(text: str) -> errors.Problem:
    return errors.Problem(409, "not_extendable", text)


def _record(tx: Unit, person: Person, approval: Approval, until: int) -> None:
    tx.audit.add(
        audit.approval_entry(
            approval,
            audit.Type.APPROVAL_EXTENDED,
            actor=audit.by_user(person.user.id),
            facts={
                "device": person.registered_device.id,
                "expired_at": approval.expires_at,
                "expires_at": until,
                "extensions": approval.extensions + 1,
            },
        ),
    )
