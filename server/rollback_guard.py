"""The file in the data folder with the ID of the newest audit entry that the server has seen.

An older database file that someone copied back would restore access that has been revoked since.
The server refuses to start with such a file; `sayso db restore --in-place` makes it safe.
Owns: the file. Never: refusing a new database, or one that is newer than the file.
"""

import os
from dataclasses import dataclass
from typing import Final

from server.model.store import Store
from server.settings import Settings

FILE: Final = "last-seen"


class OldDatabase(Exception):
    """The database is older than the one that the server last used. The text says what to do."""


@dataclass(frozen=True, slots=True)
class RollbackGuard:
    """Compares the database with the file, and keeps the file up to date."""

    settings: Settings
    store: Store

    def check(self) -> None:
        """Raise `OldDatabase` if the recorded audit entry is not in the database."""
        entry = read(self.settings)
        if not entry:
            return
        with self.store.read() as view:
            is_new = not view.installation.key_ids()
            is_known = is_new or view.audit.get(entry) is not None
            made_safe_at = view.installation.row().restored_at
        if is_new:
            forget(self.settings)  # its entry is not in this database, and never will be
        if not is_known and not _is_before(entry, made_safe_at):
            raise OldDatabase(
                "This database is older than the one that the server last used, perhaps because a "
                "file was copied back. Access that was revoked since then would be valid again. "
                "Run: sayso db restore --in-place"
            )

    def note(self) -> None:
        """Record the newest audit entry."""
        with self.store.read() as view:
            newest = view.audit.tail(1)
        if newest and newest[0].id != read(self.settings):
            write(self.settings, newest[0].id)


def _is_before(entry: str, made_safe_at: int | None) -> bool:
    """Return whether a restore made the database safe after this entry."""
    moment = entry.partition("-")[0]
    try:
        return made_safe_at is not None and int(moment, 16) < made_safe_at
    except ValueError:
        return False


def read(settings: Settings) -> str:
    """Return the ID of the audit entry in the file; "" if there is no file."""
    path = settings.data_dir / FILE
    return path.read_text("utf-8").strip() if path.exists() else ""


def write(settings: Settings, entry_id: str) -> None:
    """Replace the file atomically."""
    path = settings.data_dir / FILE
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(f"{entry_id}\n", "utf-8")
    draft.replace(path)


def forget(settings: Settings) -> None:
    """Delete the file, so that the next check passes."""
    (settings.data_dir / FILE).unlink(missing_ok=True)
