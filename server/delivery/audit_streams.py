"""A stream of the audit log: sends entries to one target and keeps its position in a file.

Owns: the file, the retries, and the lock that lets only one process run a stream. Never: targets.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from server.audit_log.bundles import LoggedEntry
from server.delivery.audit_targets import Target
from server.delivery.egress import Undeliverable
from server.folders import make_private, replace_private
from server.services.audit.streams import AuditStream, Position
from server.services.refusals import Conflict, Invalid

FOLDER: Final = "audit-streams"
"""The folder inside the data folder that stores the positions."""
_PAUSE_SECONDS: Final = 1.0
_MAX_PAUSE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class StreamRun:
    """One run of a stream: reads, sends, and stores the position."""

    source: AuditStream
    target: Target
    once: bool
    """Whether to stop when all entries are sent or when one cannot be sent."""
    report: Callable[[str], object]
    """Called with the problem before each retry."""

    def run(self, folder: Path, name: str) -> None:
        """Send entries until interrupted. Raises `Conflict`, `Undeliverable` or `BrokenLog`."""
        with _locked_position(folder, name) as file:
            position = read_position(file)
            while entries := self._next(position):
                if with_body := [entry for entry in entries if entry.body]:
                    self._send(with_body)
                position = position.advance(entries)
                replace_private(file, json.dumps(asdict(position)))

    def _next(self, position: Position) -> list[LoggedEntry]:
        while not (entries := self.source.next(position)) and not self.once:
            time.sleep(_PAUSE_SECONDS)
        return entries

    def _send(self, entries: list[LoggedEntry]) -> None:
        pause = _PAUSE_SECONDS
        while True:
            try:
                return self.target.send(entries)
            except Undeliverable as error:
                problem = f"Entry {entries[0].seq} was not sent to {self.target.name}: {error}."
                if self.once or not error.retry:
                    raise Undeliverable(problem, retry=error.retry) from error
            self.report(f"{problem} Trying again in {pause:.0f} s.")
            time.sleep(pause)
            pause = min(pause * 2, _MAX_PAUSE_SECONDS)


@contextmanager
def _locked_position(folder: Path, name: str) -> Iterator[Path]:
    """Yield the file with the position, locked for this process."""
    make_private(folder)
    lock = os.open(folder / f"{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder / f"{name}.json"
    except BlockingIOError as error:
        raise Conflict(f"The stream {name} is running in another process.") from error
    finally:
        os.close(lock)


def positions(folder: Path) -> dict[str, Position]:
    """Return the position of each stream, by name. Raises `Invalid`."""
    return {file.stem: read_position(file) for file in sorted(folder.glob("*.json"))}


def read_position(file: Path) -> Position:
    """Return the position of a stream; the start of the log for a new one. Raises `Invalid`."""
    if not file.exists():
        return Position()
    try:
        members = json.loads(file.read_text("utf-8"))
        return Position(int(members["sent"]), str(members["leaf"]))
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid(f"{file} is damaged. Remove it to send the whole log again.") from error
