"""Wakes on PostgreSQL: LISTEN and NOTIFY, with a wake every second as a fallback.

This is a separate module, so that an installation on SQLite does not load the driver.
"""

import threading
import time

import psycopg

from server.storage.postgres_connection import connect
from server.storage.store import LocalWake
from server.telemetry import log

_FALLBACK_SECONDS = 1.0


class PostgresWake(LocalWake):
    """Notifies the other processes after each commit, and listens to them."""

    def __init__(self, conninfo: str) -> None:
        super().__init__()
        self._conninfo = conninfo
        self._to_notify = threading.Event()

    def notify(self) -> None:
        """Wake waiters in this process, and notify other processes."""
        super().notify()
        self._to_notify.set()

    def watch(self) -> None:
        """Listen forever. Reconnects after a lost connection; the fallback covers the gap."""
        threading.Thread(target=self._notify_forever, name="notifier", daemon=True).start()
        while True:
            try:
                self._listen()
            except psycopg.Error as error:
                log().warning("wake.listen_failed", error=type(error).__name__)
                super().notify()
                time.sleep(_FALLBACK_SECONDS)

    def _listen(self) -> None:
        with connect(self._conninfo, autocommit=True) as connection:
            connection.execute("LISTEN sayso")
            while True:
                for _ in connection.notifies(timeout=_FALLBACK_SECONDS, stop_after=1):
                    pass
                super().notify()

    def _notify_forever(self) -> None:
        while True:
            self._to_notify.wait()
            try:
                self._notify()
            except psycopg.Error as error:
                log().warning("wake.notify_failed", error=type(error).__name__)
                time.sleep(_FALLBACK_SECONDS)

    def _notify(self) -> None:
        with connect(self._conninfo, autocommit=True) as connection:
            while True:
                self._to_notify.wait()
                self._to_notify.clear()
                connection.execute("NOTIFY sayso")
