"""Locks of PostgreSQL that tests wait for."""

from server.storage.store import SqlStore


def waiting_sessions(store: SqlStore) -> int:
    """Return the number of sessions that wait for a lock."""
    with store.read() as view:
        count = view._connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).scalar_one()
    return int(count)
