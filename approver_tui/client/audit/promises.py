"""A server's promises to log an entry, stored until a proof shows that it is in the audit log.

Owns: their file. Never: what a broken promise means.
"""

import base64
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from approver_tui.client import files
from server.audit_log import notes
from server.audit_log.notes import BadNote, LogKey, Promise

_MAX_STORED: Final = 1_000


class PromiseFile:
    """The promises of one server. Several threads and programs may use it."""

    def __init__(self, file: Path, lock: Path) -> None:
        self.file = file
        self._lock = lock

    def keep(self, header: str) -> None:
        """Store the promises of a response. A full disk does not make the response fail."""
        with suppress(OSError):
            self._update(add=header.split(", "))

    def read(self, key: LogKey) -> Mapping[str, Promise]:
        """Return the stored promises that this key signed, and drop all others."""
        promises = {line: _read_promise(line, key) for line in self._lines()}
        self.drop([line for line, promise in promises.items() if promise is None])
        return {line: promise for line, promise in promises.items() if promise is not None}

    def drop(self, lines: Collection[str]) -> None:
        """Delete promises."""
        if lines:
            self._update(drop=lines)

    def _update(self, add: Collection[str] = (), drop: Collection[str] = ()) -> None:
        with files.file_lock(self._lock):
            remaining = [line for line in self._lines() if line not in drop]
            text = "\n".join([*remaining, *add][-_MAX_STORED:])
            files.write_private(self.file, text.encode())

    def _lines(self) -> list[str]:
        return (files.read_private(self.file) or b"").decode(errors="replace").split()


def _read_promise(line: str, key: LogKey) -> Promise | None:
    try:
        return notes.read_promise(base64.b64decode(line).decode(), key)
    except (BadNote, ValueError):
        return None
