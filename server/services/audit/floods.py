"""Refusals that somebody can cause as often as they like: written one by one, then counted.

Owns: how many go into the log whole, and the entry that tells of the rest. Never: the refusals.

Nothing is silent: the first ones of a window say everything, and of the others the log says how
many there were, by whom and why.
"""

import json
from typing import Final

from server.model.audit import Entry
from server.model.operations import Window
from server.model.store import Unit
from server.services.audit import audit

WHOLE: Final = 20
"""Entries of one kind by one actor in a window."""
WINDOW_MS: Final = 60_000
_MORE: Final = "more refused "


def record(tx: Unit, entry: Entry) -> None:
    """Write a refusal down, or count it when its actor had too many of its kind lately."""
    tx.lock(f"refused {entry.type} {entry.actor}")
    if tx.counters.count(f"refused {entry.type} {entry.actor}", WINDOW_MS) <= WHOLE:
        audit.record(tx, entry)
        return
    key = _MORE + json.dumps([entry.type, entry.actor, entry.agent_id, entry.cause])
    for window in tx.counters.pop_ended(key):
        _tell(tx, window)
    tx.counters.count(key, WINDOW_MS)


def settle(tx: Unit) -> None:
    """Write down how many were counted in the windows that are over."""
    for window in tx.counters.pop_ended_with_prefix(_MORE):
        _tell(tx, window)


def _tell(tx: Unit, window: Window) -> None:
    kind, actor, agent_id, cause = json.loads(window.key.removeprefix(_MORE))
    audit.record(
        tx,
        Entry(
            type=audit.Type.REFUSALS_COUNTED,
            actor=actor,
            agent_id=agent_id,
            decision="refused",
            cause=cause,
            facts={
                "of": kind,
                "count": window.count,
                "since": window.ends_at - WINDOW_MS,
                "until": window.ends_at,
            },
        ),
    )
