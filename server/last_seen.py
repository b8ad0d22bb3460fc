"""The file beside the database that says how far it had come when it was last served here.

A database file that somebody copied back by hand is older than that, and would bring back what was
over since. It is refused; `sayso db restore` makes such a database safe.
Owns: the file. Never: stops a database that is new, or one that is ahead of the file.
"""

import os
from dataclasses import dataclass
from typing import Final

from server.services.ports import Store
from server.settings import Settings

FILE: Final = "last-seen"


class OldDatabase(Exception):
    """The database is older than it was when it was last served; the text names the remedy."""


@dataclass(frozen=True, slots=True)
class LastSeen:
    """Compares the database with the file, and keeps the file up to date."""

    settings: Settings
    store: Store

    def check(self) -> None:
        """Raises `OldDatabase` when the newest audit entry of then is not in the database."""
        entry = read(self.settings)
        if not entry:
            return
        with self.store.read() as view:
            known = not view.installation.key_ids() or view.audit.get(entry) is not None
        if not known:
            raise OldDatabase(
                "This database is older than when it was last used here, as after a file was "
                "copied back by hand: it would bring back what was over. "
                "Run: sayso db restore --in-place"
            )

    def note(self) -> None:
        """Write down how far the database has come."""
        with self.store.read() as view:
            newest = view.audit.tail(1)
        if newest and newest[0].id != read(self.settings):
            write(self.settings, newest[0].id)


def read(settings: Settings) -> str:
    """The id of the audit entry in the file; "" when there is none."""
    path = settings.data_dir / FILE
    return path.read_text("utf-8").strip() if path.exists() else ""


def write(settings: Settings, entry_id: str) -> None:
    """Replace the file in one step."""
    path = settings.data_dir / FILE
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(f"{entry_id}\n", "utf-8")
    draft.replace(path)


def forget(settings: Settings) -> None:
    """Compare with nothing until the next time."""
    (settings.data_dir / FILE).unlink(missing_ok=True)
