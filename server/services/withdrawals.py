"""Ending open approvals because something that they stand on is gone."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from server.protocol.states import State
from server.services import approval_entries, audit, notices, standing_uses
from server.services.approval_records import Approval
from server.services.ports import Unit

_NOTHING_MORE: Final[Mapping[str, object]] = MappingProxyType({})


def withdraw(
    tx: Unit,
    approvals: Iterable[Approval],
    *,
    reason: str,
    actor: str,
    facts: Mapping[str, object] = _NOTHING_MORE,
) -> int:
    """Cancel those that are still open, with an entry and an event each; returns how many."""
    return sum(_withdraw(tx, approval, reason, actor, facts) for approval in approvals)


def _withdraw(
    tx: Unit, approval: Approval, reason: str, actor: str, facts: Mapping[str, object]
) -> bool:
    standing_uses.queue(tx, approval)
    moved = tx.approvals.move(approval, State.CANCELLED, now=tx.now, reason=reason)
    if moved is None:
        return False
    standing_uses.release(tx, moved)
    audit.record(
        tx,
        approval_entries.entry(
            moved,
            audit.Type.APPROVAL_CANCELLED,
            actor=actor,
            decision="cancelled",
            cause=reason,
            facts=facts,
        ),
    )
    notices.approval(tx, moved, "approval.cancelled")
    return True
