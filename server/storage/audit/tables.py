"""The tables of the audit log."""

from sqlalchemy import Index

from server.storage.tables import define_table, partial_index

_REFUSED = "type IN ('approval.refused', 'agent.paused', 'refusals.counted')"
HASHES = "name IN ('auth_req_id_hash', 'login_hint_hash')"
"""The texts that are keyed hashes of values. A query uses the index only with this condition."""

audit_entries = define_table(
    "audit_entries",
    "id:key seq:big:unique? at:big type actor agent_id? subject? resource? action? "
    "decision? correlation_id posture? cause? approval_id:index? caller_id? body:bytes "
    "leaf:bytes",
    Index("ix_audit_entries_at", "at"),
    partial_index("ix_audit_entries_refused", "at", condition=_REFUSED),
)
"""`seq` is the position in the log, from 0. Triggers reject changes and deletions.

Retention may clear an entry: `id`, `seq`, `at` and `leaf` stay.
"""

audit_openings = define_table(
    "audit_openings",
    "entry_id:key name:key user_id:index? text salt:bytes",
    partial_index("ix_audit_openings_hash", "text", condition=HASHES),
    sqlite_with_rowid=False,
)
"""Entries' personal facts, whose commitments are in `body`. Triggers reject changes."""

audit_checkpoints = define_table(
    "audit_checkpoints",
    "size:big:key at:big:key frontier:bytes note",
)
"""The log's signed sizes and roots. Triggers reject changes and deletions."""

audit_nodes = define_table(
    "audit_nodes",
    "level:int:key number:big:key hash:bytes",
    sqlite_with_rowid=False,
)
"""The roots of the log's complete subtrees. Triggers reject changes and deletions.

A node of level 1 covers two entries; `server.audit_log.merkle` defines the numbers.
"""
