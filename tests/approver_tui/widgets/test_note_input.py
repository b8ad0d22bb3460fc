"""Writing a note in the user's own editor."""

import shlex
import sys
from contextlib import contextmanager

import pytest

from approver_tui.state.approvals.decision import NOTE_LENGTH
from approver_tui.widgets import note_input
from approver_tui.widgets.note_input import edit_text


class _App:
    """An app that records whether it has handed the terminal to another program."""

    is_suspended = False

    @contextmanager
    def suspend(self):
        """Hand the terminal to another program."""
        self.is_suspended = True
        yield
        self.is_suspended = False


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
def test_the_note_is_one_printable_line(written, note):
    """Line endings, control characters and excess length are removed; an empty file is valid."""
    editor = _editor(f"pathlib.Path(path).write_text({written!r}, 'utf-8')")
    assert edit_text(_App(), editor, "before") == note


def test_only_the_user_can_read_the_file_that_the_editor_gets(tmp_path):
    """Only the user can read the file, and it is deleted afterwards."""
    seen = tmp_path / "seen"
    code = (
        "modes = [oct(os.stat(p).st_mode & 0o777) for p in (path, os.path.dirname(path))]\n"
        f"pathlib.Path({str(seen)!r}).write_text(' '.join([*modes, path, open(path).read()]))"
    )
    assert edit_text(_App(), _editor(code), "why not") == "why not"
    *modes, path, text = seen.read_text().split(" ", 3)
    assert (modes, text) == (["0o600", "0o700"], "why not")
    assert not (tmp_path / path).exists()


def test_an_editor_that_fails_changes_nothing():
    """As with git, leaving the editor with an error keeps the old note."""
    assert edit_text(_App(), _editor("os.remove(path); sys.exit(1)"), "before") == "before"


@pytest.mark.parametrize("editor", ["no-such-editor", "'unbalanced", "; touch x"])
def test_an_editor_that_cannot_start_is_named(monkeypatch, editor):
    """A message in the terminal names the editor; no shell runs the command."""
    prompts, app = [], _App()

    def read(prompt):
        assert app.is_suspended
        prompts.append(prompt)
        return ""

    monkeypatch.setattr(note_input, "input", read, raising=False)
    assert edit_text(app, editor, "before") == "before"
    assert prompts[0].startswith(editor)
    assert prompts[0].endswith("Press Enter. ")
