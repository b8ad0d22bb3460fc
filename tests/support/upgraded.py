"""Databases on PostgreSQL that have the tables: made once for each server, and copied.

Owns: the database that is copied. Never: what is in the tables.
"""

import functools
import time

from sqlalchemy import make_url

from server.storage.open import upgrade_database
from tests.support.postgres import PostgresServer


def upgraded_database(server: PostgresServer) -> str:
    """Create a database with the tables and nothing in them, and answer its SQLAlchemy URL."""
    return server.new_database(like=_original(server))


@functools.cache
def _original(server: PostgresServer) -> str:
    url = server.new_database()
    upgrade_database(url, time.time_ns() // 1_000_000)
    name = make_url(url).database
    assert name is not None
    return name
