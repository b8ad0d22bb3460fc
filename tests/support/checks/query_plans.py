"""The query plan of a prepared statement on SQLite."""

import sqlite3

from server.storage.prepared import Prepared


def query_plan(connection: sqlite3.Connection, statement: Prepared) -> str:
    """The steps of the plan, as one line. The plan does not depend on the values."""
    text, _ = statement._compiled
    values = [None] * text.count("?")
    steps = connection.execute(f"EXPLAIN QUERY PLAN {text}", values).fetchall()
    return " / ".join(step[3] for step in steps)
