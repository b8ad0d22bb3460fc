"""How a process learns that something may have changed, here or elsewhere.

A wake carries no facts. Own commits set an event; other processes' commits are found by polling
`PRAGMA data_version` (SQLite) or arrive as notifications (PostgreSQL, `postgres_wake.py`).
"""

import threading
import time
from collections.abc import Callable

_SQLITE_PAUSE_SECONDS = 0.025


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
