"""A field for a note, which can also be written in the user's editor.

Owns: asking for the editor, running it, reading one printable line back. Never: handing over the
terminal, which the app does; running a shell; writing a file that others can read; sending.
"""

import asyncio
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from approver_tui.state.approvals.decision import NOTE_LENGTH
from approver_tui.widgets.lines import fmt


class NoteInput(Input):
    """A one-line field; ctrl-O opens the editor, if the user has one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+o", "edit", show=False)]

    class EditorRequested(Message):
        """The user wants to write this note in the editor."""

        def __init__(self, note: "NoteInput") -> None:
            super().__init__()
            self.note = note

    def __init__(self, editor: str, *, id: str) -> None:  # noqa: A002  # Textual's name
        hint = fmt("^o opens your editor") if editor else ""
        super().__init__(id=id, max_length=NOTE_LENGTH, compact=True, placeholder=hint)
        self.cursor_blink = False
        self._editor = editor

    def action_edit(self) -> None:
        """Ask the app for the terminal, to edit the note in the editor."""
        if self._editor:
            self.post_message(self.EditorRequested(self))

    async def edit(self) -> None:
        """Edit the note in the editor, which has the terminal; an empty file is an empty note."""
        text = await edit_text(self._editor, self.value)
        if self.is_attached:  # the request may have ended
            self.value = text
            self.cursor_position = len(self.value)
            self.call_after_refresh(self.focus)  # the panel moved the focus to Back


async def edit_text(editor: str, text: str) -> str:
    """Return the edited text in one line; the original text if the editor failed."""
    with TemporaryDirectory(prefix="sayso-note-") as folder:
        path = Path(folder) / "note.txt"
        path.touch(mode=0o600)
        path.write_text(text, "utf-8")
        with _ignore_interrupts():
            if not await _run(editor, path):
                return text
        edited_text = path.read_text("utf-8", errors="replace")
    printable = "".join(filter(str.isprintable, " ".join(edited_text.split())))
    return printable[:NOTE_LENGTH]


async def _run(editor: str, path: Path) -> bool:
    """Return whether the editor succeeded; if it cannot start, show why and wait for Enter."""
    try:
        process = await asyncio.create_subprocess_exec(*shlex.split(editor), str(path))
    except (OSError, ValueError) as error:
        sys.stdout.write(f"{editor}: {error}. Press Enter. ")
        sys.stdout.flush()
        await _wait_for_enter()
        return False
    try:
        return await process.wait() == 0
    finally:
        if process.returncode is None:  # the app exits
            process.terminate()


async def _wait_for_enter() -> None:
    """Wait for a line of input, without a thread that would keep the process alive."""
    loop, is_typed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, is_typed.set)
    try:
        await is_typed.wait()
    finally:
        loop.remove_reader(sys.stdin)
    sys.stdin.readline()


@contextmanager
def _ignore_interrupts() -> Iterator[None]:
    """Ignore ^C, which the terminal sends to the app too while another program has it."""
    handler = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
