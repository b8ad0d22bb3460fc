"""Escalating pending requests: a reminder halfway through the lifetime, then the backup.

Each step is due halfway between the previous step and the expiry. It is taken only once, regardless
of the number of workers.
Owns: the steps and their times. Never: deciding a request; waiting never approves one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from server.model.approvals import Approval
from server.model.notifications import Hold
from server.model.store import Store, Unit, View
from server.services.approvers import deputies
from server.services.approvers.substitutes import Substitutes
from server.services.audit import audit
from server.services.notifications import attention, digests, notices

_BATCH_SIZE: Final = 200


@dataclass(frozen=True, slots=True)
class Escalations:
    """Takes due steps, starts and ends deputies' terms, and sends held-back notifications."""

    store: Store
    substitutes: Substitutes

    def round(self) -> int:
        """Run one round; return the number of changes and notifications.

        Each change is its own unit of work. In one unit, the people to notify would be locked in
        the order of their requests, and new requests would deadlock with it.
        """
        with self.store.read() as view:
            changes = _due_changes(view)
        count = 0
        for change in changes:
            with self.store.write() as tx:
                count += change(tx, self.substitutes)
        return count


_Change: TypeAlias = Callable[[Unit, Substitutes], bool]
"""Makes a change if it is still due. Returns whether it did."""


def _due_changes(view: View) -> list[_Change]:
    """Return the changes that are due: deputies' terms first, then steps, then notifications."""
    terms = view.deputies.due(view.now, _BATCH_SIZE)
    steps = view.escalations.due(view.now, _BATCH_SIZE)
    ended_holds = view.attention.due(view.now, _BATCH_SIZE)
    return [
        *(partial(_begin_or_end, deputy_id=deputy.id) for deputy in terms),
        *(partial(_escalate, approval_id=approval_id) for approval_id in steps),
        *(partial(_release, hold=hold) for hold in ended_holds),
    ]


def _begin_or_end(tx: Unit, substitutes: Substitutes, *, deputy_id: str) -> bool:
    """Begin or end a deputy's term, whichever is due."""
    deputy = tx.deputies.get(deputy_id)
    if deputy is None:
        return False
    is_over = deputy.to_at <= tx.now
    return deputies.end(tx, deputy) if is_over else deputies.begin(tx, deputy, substitutes)


def _escalate(tx: Unit, substitutes: Substitutes, *, approval_id: str) -> bool:
    approval = tx.approvals.get(approval_id)
    return approval is not None and take_step(tx, approval, substitutes)


def _remind(tx: Unit, approval: Approval, substitutes: Substitutes) -> None:
    """Remind all approvers."""
    _record(tx, approval, "reminded")
    notices.requested(tx, approval, substitutes.server_policy, attention.REMINDER)


def _ask_backup(tx: Unit, approval: Approval, substitutes: Substitutes) -> None:
    """Ask the user's backup."""
    if substitutes.ask_backup(tx, approval):
        _record(tx, approval, "backup_asked")


STEPS: Final[tuple[Callable[[Unit, Approval, Substitutes], None], ...]] = (_remind, _ask_backup)
"""The steps in order; `approvals.escalated` is the number of steps taken."""


def take_step(tx: Unit, approval: Approval, substitutes: Substitutes) -> bool:
    """Take the next step of an approval; return whether this call took it."""
    step = approval.escalated
    is_last = step + 1 >= len(STEPS)
    due_at = approval.escalate_at or tx.now
    next_at = None if is_last else attention.halfway(due_at, approval.expires_at)
    if not tx.escalations.step(approval.id, step, next_at, tx.now):
        return False
    STEPS[step](tx, approval, substitutes)
    return True


def _release(tx: Unit, substitutes: Substitutes, *, hold: Hold) -> bool:
    """Send a held-back notification if its request is still pending; return whether it was sent.

    The person's limits are locked before the hold, as for a request that notifies them.
    """
    policy = substitutes.server_policy
    attention.lock(tx, hold.user_id)
    released = tx.attention.release(hold, tx.now)
    if released is None:
        return False
    if released.why in attention.DIGEST_DELAYS_MS:
        return digests.send(tx, released, policy)
    approval = tx.approvals.get(released.approval_id)
    if approval is None or not approval.is_pending(tx.now):
        return False
    attention.notify(tx, approval, released.user_id, attention.REMINDER, policy)
    return True


def _record(tx: Unit, approval: Approval, what: str) -> None:
    escalated = audit.Type.APPROVAL_ESCALATED
    tx.audit.add(audit.approval_entry(approval, escalated, decision=what))
