"""The tables of policy and action types."""

from server.storage.tables import define_table

action_types = define_table(
    "action_types",
    "type:key document version:int created_at:big",
)

policies = define_table(
    "policies",
    "version:int:key document agents users hash set_by set_at:big",
)

uses = define_table(
    "uses",
    "agent_id:key use:key at:big:key token_id:key",
    sqlite_with_rowid=False,
)
"""One row per token and use; the primary key is the only index needed."""
