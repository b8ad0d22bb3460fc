"""The tables of the audit log."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from server.storage.tables import Millis, metadata, partial_index

_REFUSED = "type IN ('approval.refused', 'agent.paused', 'refusals.counted')"
HASHES = "name IN ('auth_req_id_hash', 'login_hint_hash')"
"""The texts that are keyed hashes of values. A query uses the index only with this condition."""

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("seq", BigInteger, unique=True),
    Column("at", Millis, nullable=False),
    Column("type", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("agent_id", Text),
    Column("subject", Text),
    Column("resource", Text),
    Column("action", Text),
    Column("decision", Text),
    Column("correlation_id", Text, nullable=False),
    Column("posture", Text),
    Column("cause", Text),
    Column("approval_id", Text, index=True),
    Column("caller_id", Text),
    Column("body", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Index("ix_audit_entries_at", "at"),
    partial_index("ix_audit_entries_refused", "at", condition=_REFUSED),
)
"""`seq` is the position in the log, from 0. Triggers refuse to change or delete an entry.

Retention may clear an entry: `id`, `seq`, `at` and `leaf` stay.
"""

audit_openings = Table(
    "audit_openings",
    metadata,
    Column("entry_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("user_id", Text, index=True),
    Column("text", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    partial_index("ix_audit_openings_hash", "text", condition=HASHES),
    sqlite_with_rowid=False,
)
"""Entries' personal facts, whose commitments are in `body`. Triggers refuse changes to them."""

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Millis, primary_key=True, autoincrement=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
)
"""The log's signed sizes and roots. Triggers refuse to change or delete them."""

audit_nodes = Table(
    "audit_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""The roots of the log's complete subtrees. Triggers refuse to change or delete them.

A node of level 1 covers two entries; `server.audit_log.merkle` defines the numbers.
"""
