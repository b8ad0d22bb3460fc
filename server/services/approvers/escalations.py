"""Escalating pending requests: a reminder halfway through the lifetime, then the backup.

Each step is due halfway between the previous step and the expiry. It is taken only once, regardless
of the number of workers.
Owns: the steps and their times. Never: deciding a request; waiting never approves one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.model.approvals import Approval
from server.model.approvers import Deputy
from server.model.store import Store, Unit, View
from server.protocol.approvals.states import State, overdue
from server.services.approvers import deputies
from server.services.approvers.substitutes import Substitutes
from server.services.audit import audit
from server.services.notifications import attention, digests, notices
from server.services.server_policy import ServerPolicy

_BATCH_SIZE: Final = 200


@dataclass(frozen=True, slots=True)
class Escalations:
    """Takes due steps, starts and ends deputies' terms, and sends held-back notifications."""

    store: Store
    substitutes: Substitutes

    def round(self) -> int:
        """Run one round; returns the number of changes and notifications."""
        with self.store.read() as view:
            if not _is_due(view):
                return 0
        with self.store.write() as tx:
            changed_deputies = sum(
                _begin_or_end(tx, deputy, self.substitutes)
                for deputy in tx.deputies.due(tx.now, _BATCH_SIZE)
            )
            due = [*filter(None, map(tx.approvals.get, tx.escalations.due(tx.now, _BATCH_SIZE)))]
            steps = sum(take_step(tx, approval, self.substitutes) for approval in due)
            notified = _release_held(tx, self.substitutes.server_policy)
            return changed_deputies + notified + steps


def _is_due(view: View) -> bool:
    """Return whether anything is due."""
    if view.attention.due(view.now):
        return True
    return bool(view.escalations.due(view.now, 1) or view.deputies.due(view.now, 1))


def _begin_or_end(tx: Unit, deputy: Deputy, substitutes: Substitutes) -> bool:
    """Begin or end a deputy's term, whichever is due."""
    is_over = deputy.to_at <= tx.now
    return deputies.end(tx, deputy) if is_over else deputies.begin(tx, deputy, substitutes)


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
    """Take the next step of an approval; returns whether this call took it."""
    step = approval.escalated
    is_last = step + 1 >= len(STEPS)
    due_at = approval.escalate_at or tx.now
    next_at = None if is_last else attention.halfway(due_at, approval.expires_at)
    if not tx.escalations.step(approval.id, step, next_at, tx.now):
        return False
    STEPS[step](tx, approval, substitutes)
    return True


def _release_held(tx: Unit, policy: ServerPolicy) -> int:
    """Send held-back notifications about requests that are still pending; returns their number."""
    reminded = 0
    for hold in tx.attention.release(tx.now, _BATCH_SIZE):
        if hold.why in attention.DIGEST_DELAYS_MS:
            reminded += digests.send(tx, hold, policy)
            continue
        approval = tx.approvals.get(hold.approval_id)
        if (
            approval is not None
            and approval.state is State.PENDING
            and not overdue(approval.state, approval.expires_at, tx.now)
        ):
            attention.notify(tx, approval, hold.user_id, attention.REMINDER, policy)
            reminded += 1
    return reminded


def _record(tx: Unit, approval: Approval, what: str) -> None:
    escalated = audit.Type.APPROVAL_ESCALATED
    tx.audit.add(audit.approval_entry(approval, escalated, decision=what))
