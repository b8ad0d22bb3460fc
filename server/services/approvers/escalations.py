"""What the clock does about a request that still waits: says it again, and asks others.

Each step is due at half of the time that was left at the step before: at the half of its time the
request is said again. A step is taken once, however many workers look.
Owns: which steps there are, and when. Never: deciding anything; nothing is approved by waiting.
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

_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Escalations:
    """Takes the steps that are due, and ends holds that are over."""

    store: Store
    stand_ins: Substitutes

    def round(self) -> int:
        """One round; returns how many times somebody was told something."""
        with self.store.read() as view:
            if not _is_due(view):
                return 0
        with self.store.write() as tx:
            turned = sum(
                _turn(tx, one, self.stand_ins) for one in tx.deputies.due(tx.now, _AT_ONCE)
            )
            found = [tx.approvals.get(one) for one in tx.escalations.due(tx.now, _AT_ONCE)]
            taken = sum(take_step(tx, one, self.stand_ins) for one in found if one is not None)
            return turned + _release(tx, self.stand_ins.rules) + taken


def _is_due(view: View) -> bool:
    """Reports whether there is anything to do."""
    if view.attention.due(view.now):
        return True
    return bool(view.escalations.due(view.now, 1) or view.deputies.due(view.now, 1))


def _turn(tx: Unit, deputy: Deputy, stand_ins: Substitutes) -> bool:
    """Let a deputy begin or end whose time has come."""
    over = deputy.to_at <= tx.now
    return deputies.end(tx, deputy) if over else deputies.begin(tx, deputy, stand_ins)


def halfway(start: int, end: int) -> int:
    """When the next step of a request is due."""
    return (start + end) // 2


def _remind(tx: Unit, approval: Approval, stand_ins: Substitutes) -> None:
    """Say again, to everybody whom it asks, that it waits."""
    _record(tx, approval, "reminded")
    notices.requested(tx, approval, stand_ins.rules, attention.REMINDER)


def _ask_backup(tx: Unit, approval: Approval, stand_ins: Substitutes) -> None:
    """Ask the person's backup too."""
    if stand_ins.ask_backup(tx, approval):
        _record(tx, approval, "backup_asked")


STEPS: Final[tuple[Callable[[Unit, Approval, Substitutes], None], ...]] = (_remind, _ask_backup)
"""In order; `approvals.escalated` counts those that were taken."""


def take_step(tx: Unit, approval: Approval, stand_ins: Substitutes) -> bool:
    """Take the next step of an approval, if nobody else has; reports whether it was taken."""
    taken = approval.escalated
    last = taken + 1 >= len(STEPS)
    due_at = approval.escalate_at or tx.now
    next_at = None if last else halfway(due_at, approval.expires_at)
    if not tx.escalations.step(approval.id, taken, next_at, tx.now):
        return False
    STEPS[taken](tx, approval, stand_ins)
    return True


def _release(tx: Unit, rules: ServerPolicy) -> int:
    """Notify people of what was held and still waits."""
    reminded = 0
    for hold in tx.attention.release(tx.now, _AT_ONCE):
        if hold.why in attention.DIGEST_DELAYS_MS:
            reminded += digests.send(tx, hold, rules)
            continue
        approval = tx.approvals.get(hold.approval_id)
        if (
            approval is not None
            and approval.state is State.PENDING
            and not overdue(approval.state, approval.expires_at, tx.now)
        ):
            attention.notify(tx, approval, hold.user_id, attention.REMINDER, rules)
            reminded += 1
    return reminded


def _record(tx: Unit, approval: Approval, what: str) -> None:
    escalated = audit.Type.APPROVAL_ESCALATED
    audit.record(tx, audit.approval_entry(approval, escalated, decision=what))
