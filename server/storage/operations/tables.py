"""The tables of counters, keys and restores."""

from server.storage.tables import define_table

counters = define_table(
    "counters",
    "key:key window_ends_at:big:index count:int",
)
"""Counters in time windows, for limits across processes."""

installation_keys = define_table(
    "installation_keys",
    "name:key key_id sealed:bytes?",
)
"""The keys of this database. `sealed` is the encrypted key, if it is not in a file."""

restore_holds = define_table(
    "restore_holds",
    "kind:key id:key at:big",
)
"""Devices, agents, apps and users that a restore disabled until an administrator enables them."""
