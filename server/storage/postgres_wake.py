"""The wake of an installation on PostgreSQL: notifications, with a look each second as the floor.

A file of its own, so that an installation on SQLite never loads the driver.
"""

import threading
import time

import psycopg

from server.storage.postgres_connection import connect
from server.storage.wake import LocalWake
from server.telemetry import log

_FLOOR_SECONDS = 1.0


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
        with connect(self._conninfo, autocommit=True) as connection:
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
        with connect(self._conninfo, autocommit=True) as connection:
            while True:
                self._to_tell.wait()
                self._to_tell.clear()
                connection.execute("NOTIFY sayso")
