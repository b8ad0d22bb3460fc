"""New databases for tests: copies of one that was upgraded once, because upgrading is slow.

Owns: an upgraded, empty database. Upgrading has its own tests, which do not use this module
(tests/server/storage/test_upgrades.py, test_open.py).
"""

import contextlib
import secrets
import sqlite3
import tempfile
import time
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from server import folders
from server.storage.open import upgrade_database
from tests.support.servers.postgres import PostgresServer


def place_database(path: Path, now: int) -> None:
    """Create a new database at this path, unless there is one."""
    if path.exists():
        return
    folders.make_private(path.parent)
    path.touch(mode=0o600)
    path.write_bytes(_upgraded())
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        row = (now, secrets.token_hex(16))
        connection.execute("UPDATE installation SET created_at = ?, epoch = ?", row)


def upgraded_database(server: PostgresServer) -> str:
    """Create a database on PostgreSQL as if `sayso db upgrade` had made it; return its URL."""
    url = server.new_database(like=_upgraded_on(server))
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = (time.time_ns() // 1_000_000, secrets.token_hex(16))
        connection.execute("UPDATE installation SET created_at = %s, epoch = %s", row)
    return url


@cache
def _upgraded() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sayso.db"
        upgrade_database(f"sqlite:///{path}", 0)
        return path.read_bytes()


@cache
def _upgraded_on(server: PostgresServer) -> str:
    url = server.new_database()
    upgrade_database(url, 0)
    return str(make_url(url).database)
