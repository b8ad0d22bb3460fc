"""Denials in the five seconds before they are sent, stored so that a crash can be reported.

Owns: the file, one row for each denial not known to have arrived. Never: sending one. A row names
the request but holds no answer, so the file is useless to anyone else.
"""

import json
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from approver_tui.client import files
from approver_tui.client.errors import WireError
from approver_tui.client.reading import JsonObject
from approver_tui.client.sign_in.profile import Home
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.unsent_denials import UnsentDenial


@dataclass(frozen=True, slots=True)
class _Row:
    unsent: UnsentDenial
    process: int
    """The process that would have sent it."""


class UnsentDenials:
    """The waiting denials of one login. Two programs may share the file."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def load(self) -> tuple[UnsentDenial, ...]:
        """Return the denials of processes that are no longer running."""
        return tuple(row.unsent for row in self._read() if not _is_running(row.process))

    def add(self, approvals: Iterable[Approval]) -> None:
        """Store that this process is about to deny these. Raises OSError."""
        new = [
            _Row(UnsentDenial(approval.id, approval.headline), os.getpid())
            for approval in approvals
        ]
        ids = {row.unsent.approval_id for row in new}
        self._replace_rows(ids, new)

    def remove(self, ids: Collection[str]) -> None:
        """Delete the rows of denials that were sent, or will not be sent. Raises OSError."""
        if any(row.unsent.approval_id in ids for row in self._read()):
            self._replace_rows(ids, ())

    def _replace_rows(self, ids: Collection[str], new: Iterable[_Row]) -> None:
        with files.file_lock(self._home.unsent_denials_lock):
            rows = [row for row in self._read() if row.unsent.approval_id not in ids]
            self._write([*rows, *new])

    def _read(self) -> list[_Row]:
        """Read the file; a broken one is empty and is replaced by the next denial."""
        content = files.read_private(self._home.unsent_denials_file)
        try:
            rows = JsonObject.parse(content).children("denials") if content else ()
            return [_Row(_read_denial(row), row.integer("process")) for row in rows]
        except WireError:
            return []

    def _write(self, rows: Iterable[_Row]) -> None:
        denials = [
            {
                "approval": row.unsent.approval_id,
                "headline": row.unsent.headline,
                "process": row.process,
            }
            for row in rows
        ]
        if denials:
            text = json.dumps({"denials": denials}, ensure_ascii=True)
            files.write_private(self._home.unsent_denials_file, text.encode())
        else:
            self._home.unsent_denials_file.unlink(missing_ok=True)


def _read_denial(members: JsonObject) -> UnsentDenial:
    return UnsentDenial(members.text("approval"), members.safe("headline"))


def _is_running(process: int) -> bool:
    """Whether another process with this ID is running."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
