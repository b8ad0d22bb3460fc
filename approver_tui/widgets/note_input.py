"""A field for a note, which can also be written in the user's editor.

Owns: opening the editor, reading one printable line back. Never: running a shell; writing a file
that others can read; sending.
"""

import shlex
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Protocol

from textual.binding import Binding, BindingType
from textual.widgets import Input

from approver_tui.state.approvals.decision import NOTE_LENGTH
from approver_tui.widgets.lines import fmt


class Suspendable(Protocol):
    """An app that can hand its terminal to another program."""

    def suspend(self) -> AbstractContextManager[None]:
        """Hand over the terminal until the end of the block."""


class NoteInput(Input):
    """A one-line field; ctrl-O opens the editor, if the user has one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+o", "edit", show=False)]

    def __init__(self, editor: str, *, id: str) -> None:  # noqa: A002  # Textual's name
        hint = fmt("^o opens your editor") if editor else ""
        super().__init__(id=id, max_length=NOTE_LENGTH, compact=True, placeholder=hint)
        self.cursor_blink = False
        self._editor = editor

    def action_edit(self) -> None:
        """Edit the note in the editor; an empty file means an empty note."""
        if self._editor:
            self.value = edit_text(self.app, self._editor, self.value)
            self.cursor_position = len(self.value)
            self.call_after_refresh(self.focus)  # suspending moved the focus to Back


def edit_text(app: Suspendable, editor: str, text: str) -> str:
    """Return the edited text in one line; the original text if the editor failed."""
    with TemporaryDirectory(prefix="sayso-note-") as folder:
        path = Path(folder) / "note.txt"
        path.touch(mode=0o600)
        path.write_text(text, "utf-8")
        with app.suspend():
            if not _run(editor, path):
                return text
        edited_text = path.read_text("utf-8", errors="replace")
    printable = "".join(filter(str.isprintable, " ".join(edited_text.split())))
    return printable[:NOTE_LENGTH]


def _run(editor: str, path: Path) -> bool:
    """Return whether the editor succeeded; if it cannot start, show why and wait for Enter."""
    try:
        result = subprocess.run([*shlex.split(editor), str(path)], check=False)  # noqa: S603  # the user's own editor, no shell
    except (OSError, ValueError) as error:
        input(f"{editor}: {error}. Press Enter. ")
        return False
    return result.returncode == 0
