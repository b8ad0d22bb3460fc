"""How a process learns that something may have changed, here or elsewhere.

A wake carries no facts. Own commits set an event; other processes' commits are found by polling
`PRAGMA data_version` (SQLite) or arrive as notifications (PostgreSQL), with a one-second floor.
"""

import threading
import time
from collections.abc import Callable

import psycopg

from server.telemetry import log

_SQLITE_PAUSE_SECONDS = 0.025
_FLOOR_SECONDS = 1.0


class LocalWake:
    """Inside one process."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def changed(self) -> None:
        """Wake whoever waits."""
        self._event.set()

    def watch(self) -> None:
        """Look for changes of other processes, for ever; nobody else writes here."""

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; reports whether something may have changed."""
        woken = self._event.wait(timeout)
        self._event.clear()
        return woken


class SqliteWake(LocalWake):
    """Watches the file for commits of other processes, on a connection of its own."""

    def __init__(self, data_version: Callable[[], int]) -> None:
        super().__init__()
        self._data_version = data_version

    def watch(self) -> None:
        """Look at the file for ever; runs as a background loop."""
        last = self._data_version()
        while True:
            time.sleep(_SQLITE_PAUSE_SECONDS)
            current = self._data_version()
            if current != last:
                last = current
                self.changed()


class PostgresWake(LocalWake):
    """Tells the other processes after each commit, and listens to them."""

    def __init__(self, conninfo: str) -> None:
        super().__init__()
        self._conninfo = conninfo
        self._to_tell = threading.Event()

    def changed(self) -> None:
        """Wake whoever waits here, and soon whoever waits elsewhere."""
        super().changed()
        self._to_tell.set()

    def watch(self) -> None:
        """Listen for ever; a lost connection is made again, and the floor covers the gap."""
        threading.Thread(target=self._tell_forever, name="notifier", daemon=True).start()
        while True:
            try:
                self._listen()
            except psycopg.Error as error:
                log().warning("wake.listen_failed", error=type(error).__name__)
                super().changed()
                time.sleep(_FLOOR_SECONDS)

    def _listen(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute("LISTEN sayso")
            while True:
                for _ in connection.notifies(timeout=_FLOOR_SECONDS, stop_after=1):
                    pass
                super().changed()

    def _tell_forever(self) -> None:
        while True:
            self._to_tell.wait()
            try:
                self._tell()
            except psycopg.Error as error:
                log().warning("wake.notify_failed", error=type(error).__name__)
                time.sleep(_FLOOR_SECONDS)

    def _tell(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            while True:
                self._to_tell.wait()
                self._to_tell.clear()
                connection.execute("NOTIFY sayso")
