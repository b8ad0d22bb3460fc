"""Promises of a server's audit log that an entry is in it, kept until a proof shows that it is.

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

_MAX_KEPT: Final = 1_000


class PromiseFile:
    """The promises of one server. Several threads and programs may use it."""

    def __init__(self, file: Path, lock: Path) -> None:
        self.file = file
        self._lock = lock

    def keep(self, header: str) -> None:
        """Keep the promises of a response. The answer counts even if the disk is full."""
        with suppress(OSError):
            self._change(add=header.split(", "))

    def read(self, key: LogKey) -> Mapping[str, Promise]:
        """The kept promises that this key signed; others are worth nothing and are dropped."""
        found = {line: _promise(line, key) for line in self._lines()}
        self.drop([line for line, promise in found.items() if promise is None])
        return {line: promise for line, promise in found.items() if promise is not None}

    def drop(self, lines: Collection[str]) -> None:
        """Forget promises."""
        if lines:
            self._change(drop=lines)

    def _change(self, add: Collection[str] = (), drop: Collection[str] = ()) -> None:
        with files.file_lock(self._lock):
            kept = [line for line in self._lines() if line not in drop]
            text = "\n".join([*kept, *add][-_MAX_KEPT:])
            files.write_private(self.file, text.encode())

    def _lines(self) -> list[str]:
        return (files.read_private(self.file) or b"").decode(errors="replace").split()


def _promise(line: str, key: LogKey) -> Promise | None:
    try:
        return notes.read_promise(base64.b64decode(line).decode(), key)
    except (BadNote, ValueError):
        return None
