"""Wakes on SQLite: polls the file's change counter, `PRAGMA data_version`."""

import time
from collections.abc import Callable

from server.storage.store import LocalWake

_PAUSE_SECONDS = 0.025


class SqliteWake(LocalWake):
    """Wakes for other processes' commits to the same file, using a separate connection."""

    def __init__(self, data_version: Callable[[], int]) -> None:
        super().__init__()
        self._data_version = data_version

    def watch(self) -> None:
        """Poll the file forever, as a background loop."""
        last = self._data_version()
        while True:
            time.sleep(_PAUSE_SECONDS)
            current = self._data_version()
            if current != last:
                last = current
                self.notify()
