"""Wakes: tell a process that something may have changed, without details.

A commit of the same process sets an event. Commits of other processes are detected by polling
`PRAGMA data_version` (SQLite) or with NOTIFY (PostgreSQL, `postgres_wake.py`).
"""

import threading
import time
from collections.abc import Callable

_SQLITE_PAUSE_SECONDS = 0.025


class LocalWake:
    """Wakes within one process."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def changed(self) -> None:
        """Wake the waiters."""
        self._event.set()

    def watch(self) -> None:
        """Watch for commits of other processes. Here there are none."""

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds. Returns whether something may have changed."""
        woken = self._event.wait(timeout)
        self._event.clear()
        return woken


class SqliteWake(LocalWake):
    """Wakes for commits of other processes to the same file, on a separate connection."""

    def __init__(self, data_version: Callable[[], int]) -> None:
        super().__init__()
        self._data_version = data_version

    def watch(self) -> None:
        """Poll the file forever, as a background loop."""
        last = self._data_version()
        while True:
            time.sleep(_SQLITE_PAUSE_SECONDS)
            current = self._data_version()
            if current != last:
                last = current
                self.changed()
