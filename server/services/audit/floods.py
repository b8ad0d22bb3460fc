"""Limits audit entries about repeated refusals: writes the first ones and counts the rest.

Owns: the limit, and the entry with the count. Never: the refusals themselves.

The first refusals in a window are written in full. One entry then states the number of the others,
their actor and their cause.
"""

import json
from typing import Final

from server.model.audit import Entry
from server.model.operations import Window
from server.model.store import Unit
from server.services.audit import audit

MAX_FULL_ENTRIES: Final = 20
"""The maximum number of full entries of one type and actor in a window."""
WINDOW_MS: Final = 60_000
_COUNTER_PREFIX: Final = "more refused "


def record_refusal(tx: Unit, entry: Entry) -> None:
    """Write the entry for a refusal, or only count it if the actor has reached the limit."""
    tx.lock(f"refused {entry.type} {entry.actor}")
    if tx.counters.count(f"refused {entry.type} {entry.actor}", WINDOW_MS) <= MAX_FULL_ENTRIES:
        tx.audit.add(entry)
        return
    key = _COUNTER_PREFIX + json.dumps([entry.type, entry.actor, entry.agent_id, entry.cause])
    for window in tx.counters.pop_ended(key):
        _write_count(tx, window)
    tx.counters.count(key, WINDOW_MS)


def write_counts(tx: Unit) -> None:
    """Write the entries with the counts of windows that have ended."""
    for window in tx.counters.pop_ended_with_prefix(_COUNTER_PREFIX):
        _write_count(tx, window)


def _write_count(tx: Unit, window: Window) -> None:
    kind, actor, agent_id, cause = json.loads(window.key.removeprefix(_COUNTER_PREFIX))
    tx.audit.add(
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
        )
    )
