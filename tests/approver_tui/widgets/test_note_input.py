"""Writing a note in the user's own editor."""

import asyncio
import os
import shlex
import sys

import pytest

from approver_tui.state.approvals.decision import NOTE_LENGTH
from approver_tui.widgets.note_input import edit_text


def _editor(code):
    """Return the command of a program that gets the path of the note as its last argument."""
    return shlex.join(
        [sys.executable, "-c", f"import os, pathlib, sys\npath = sys.argv[1]\n{code}"]
    )


@pytest.mark.parametrize(
    ("written", "note"),
    [
        ("two\nlines \t\n", "two lines"),
        ("", ""),
        ("a\x1b[2J\u202eb\x00", "a[2Jb"),
        ("x" * 2_000, "x" * NOTE_LENGTH),
    ],
)
async def test_the_note_is_one_printable_line(written, note):
    """Line endings, control characters and excess length are removed; an empty file is valid."""
    editor = _editor(f"pathlib.Path(path).write_text({written!r}, 'utf-8')")
    assert await edit_text(editor, "before") == note


async def test_only_the_user_can_read_the_file_that_the_editor_gets(tmp_path):
    """Only the user can read the file, and it is deleted afterwards."""
    seen = tmp_path / "seen"
    code = (
        "modes = [oct(os.stat(p).st_mode & 0o777) for p in (path, os.path.dirname(path))]\n"
        f"pathlib.Path({str(seen)!r}).write_text(' '.join([*modes, path, open(path).read()]))"
    )
    assert await edit_text(_editor(code), "why not") == "why not"
    *modes, path, text = seen.read_text().split(" ", 3)
    assert (modes, text) == (["0o600", "0o700"], "why not")
    assert not (tmp_path / path).exists()


async def test_an_editor_that_fails_changes_nothing():
    """As with git, leaving the editor with an error keeps the old note."""
    assert await edit_text(_editor("os.remove(path); sys.exit(1)"), "before") == "before"


@pytest.mark.parametrize("editor", ["no-such-editor", "'unbalanced", "; touch x"])
async def test_an_editor_that_cannot_start_is_named(monkeypatch, capsys, editor):
    """A message in the terminal names the editor and waits for Enter; no shell runs the command."""
    keyboard, typed = os.pipe()
    stdin = os.fdopen(keyboard)
    monkeypatch.setattr(sys, "stdin", stdin)
    edit = asyncio.create_task(edit_text(editor, "before"))
    await asyncio.sleep(0.05)
    assert not edit.done()
    os.write(typed, b"\n")
    assert await edit == "before"
    os.close(typed)
    stdin.close()
    message = capsys.readouterr().out
    assert message.startswith(editor)
    assert message.endswith("Press Enter. ")


async def test_an_interrupt_reaches_only_the_editor():
    """The terminal sends ^C to the app too, which keeps running."""
    code = (
        "import signal; os.kill(os.getppid(), signal.SIGINT); pathlib.Path(path).write_text('new')"
    )
    assert await edit_text(_editor(code), "before") == "new"
