"""A server whose database is replaced by a different copy, as after a restore or a forgery."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from server import key_files
from tests.support.servers.server import LiveServer


def add_log_entries(server: LiveServer, count: int = 3) -> None:
    """Add entries to the audit log, and sign a checkpoint that covers them."""
    for _ in range(count):
        server.user()
    server.services.audit_log.sign()


def copy_database(server: LiveServer, name: str) -> Path:
    """Copy the database as it is now; return the copy's path."""
    copy = server.folder / name
    source, target = sqlite3.connect(_database(server)), sqlite3.connect(copy)
    with closing(source), closing(target):
        source.backup(target)
    return copy


def replace(server: LiveServer, copy: Path, while_down: Callable[[], object] = bool) -> None:
    """Restart the server on a different database with the same keys.

    `while_down` is called before the server starts again.
    """
    server.stop()
    if server._services is not None:
        server._services.store.close()
        server._services = None
    for suffix in ("", "-wal", "-shm"):
        Path(f"{_database(server)}{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, _database(server))
    while_down()
    server.start()


def rotate_log_key(server: LiveServer) -> None:
    """Replace the log's key; the old key vouches for the new one if it still exists."""
    services = server.services
    for old in (server.folder / "data").glob("log.key.*"):
        old.unlink()
    record = partial(services.audit_log.record_key, by="operator")
    key_files.replace_log(services.settings, services.store, record)
    services.audit_log.sign()


def _database(server: LiveServer) -> Path:
    return server.folder / "data" / "sayso.db"
