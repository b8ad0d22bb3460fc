"""How SQLite means to answer a statement that is prepared."""

import sqlite3

from server.storage.prepared import Prepared


def told(connection: sqlite3.Connection, statement: Prepared) -> str:
    """Its plan, one step after the other; whatever the values are, the plan is the same."""
    text, _ = statement._compiled
    nothing = [None] * text.count("?")
    steps = connection.execute(f"EXPLAIN QUERY PLAN {text}", nothing).fetchall()
    return " / ".join(step[3] for step in steps)
