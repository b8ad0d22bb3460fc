"""Letting a request wait longer (WCAG 2.2.1): whoever needs more time to read takes it.

It gives nobody anything, so the session is enough. The agent is told the new end at its next poll.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from server.model.approval_views import Shown
from server.model.approvals import Approval
from server.model.store import Store, Unit, View
from server.protocol import errors
from server.protocol.approvals.states import State, overdue
from server.protocol.policy.risks import Risk
from server.services.approvals.views import shown
from server.services.approvers import approvers
from server.services.approvers.escalations import halfway
from server.services.audit import audit
from server.services.notifications import notices
from server.services.users import device_auth
from server.services.users.device_auth import Person

MOST: Final[Mapping[Risk, int | None]] = MappingProxyType(
    {Risk.LOW: None, Risk.MEDIUM: 3, Risk.HIGH: 2, Risk.CRITICAL: 2}
)
"""How often; None for as often as they like. Critical ones are extended by an owner alone."""


def left(approval: Approval) -> int | None:
    """How often this request may be extended from now on; None for as often as they like."""
    if approval.kind != "action":
        return 0
    most = MOST[approval.risk]
    return None if most is None else max(0, most - approval.extensions)


@dataclass(frozen=True, slots=True)
class Extensions:
    """Lets a person's requests wait longer."""

    store: Store

    def extend(self, person: Person, approval_id: str) -> Shown:
        """Let it wait once more as long as it was given at first, from now.

        1. It is this person's.  2. It still waits.  3. They may extend it, and it was not extended
        too often.  4. That is later than its end, and before what it came from has ended.
        Raises errors.Problem: 404, 409 `not_pending` or `not_extendable`, 403 `forbidden`.
        """
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            approval = approvers.owned(tx, approval_id, person.user.id)
            until = _allowed(tx, person, approval)
            moved = tx.escalations.extend(
                approval.id,
                was=approval.expires_at,
                until=until,
                escalate_at=halfway(tx.now, until),
                now=tx.now,
            )
            if not moved:
                raise errors.Problem(409, "not_pending", "This request has just changed.")
            extended = replace(
                approval, expires_at=until, extensions=approval.extensions + 1, escalated=0
            )
            _record(tx, person, approval, until)
            notices.approval(tx, extended, "approval.extended")
            return shown(tx, extended, person.user.id)

    def offered(self, person: Person, approval_id: str) -> bool:
        """Reports whether this person could let it wait longer now. Raises errors.Problem 404."""
        with self.store.read() as view:
            approval = approvers.owned(view, approval_id, person.user.id)
            try:
                _allowed(view, person, approval)
            except errors.Problem:
                return False
            return True


def _allowed(view: View, person: Person, approval: Approval) -> int:
    """The new end. Raises errors.Problem with why there is none."""
    over = overdue(approval.state, approval.expires_at, view.now)
    if over or approval.state is not State.PENDING:
        raise errors.Problem(409, "not_pending", "This request waits no more.")
    _check(view, person, approval)
    return _until(view, approval)


def _check(view: View, person: Person, approval: Approval) -> None:
    if approval.kind != "action":
        raise _not_extendable("Begin again at the page or device that asked for this.")
    if left(approval) == 0:
        raise _not_extendable(
            f"A request of {approval.risk} risk is extended {MOST[approval.risk]} times at most."
        )
    agent = view.directory.agent(approval.agent_id)
    owners = () if agent is None else agent.owners
    if approval.risk is Risk.CRITICAL and person.user.id not in owners:
        raise errors.Problem(
            403, "forbidden", "Only an owner of its agent extends a request of critical risk."
        )


def _until(view: View, approval: Approval) -> int:
    """The new end: never after that of the token from whose exchange the request came."""
    until = view.now + approval.life_ms
    parent = None if approval.parent_id is None else view.delegations.get(approval.parent_id)
    if parent is not None:
        until = min(until, parent.expires_at)
    if until <= approval.expires_at:
        raise _not_extendable("It cannot wait longer than it does.")
    return until


def _not_extendable(text: str) -> errors.Problem:
    return errors.Problem(409, "not_extendable", text)


def _record(tx: Unit, person: Person, approval: Approval, until: int) -> None:
    audit.record(
        tx,
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
