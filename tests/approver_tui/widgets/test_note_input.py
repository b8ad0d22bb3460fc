"""A note from the user's editor."""

import shlex
import sys
from contextlib import contextmanager

import pytest

from approver_tui.state.approvals.decision import NOTE_LENGTH
from approver_tui.widgets import note_input
from approver_tui.widgets.note_input import edited


class _App:
    """Notes whether the terminal is given away."""

    is_suspended = False

    @contextmanager
    def suspend(self):
        """Give the terminal away."""
        self.is_suspended = True
        yield
        self.is_suspended = False


def _editor(code):
    """A program that gets the path of the file as its last argument."""
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
    """An empty file is an empty note."""
    editor = _editor(f"pathlib.Path(path).write_text({written!r}, 'utf-8')")
    assert edited(_App(), editor, "before") == note


def test_the_editor_gets_the_note_in_a_file_of_the_user_alone(tmp_path):
    """The file is gone afterwards."""
    seen = tmp_path / "seen"
    code = (
        "modes = [oct(os.stat(each).st_mode & 0o777) for each in (path, os.path.dirname(path))]\n"
        f"pathlib.Path({str(seen)!r}).write_text(' '.join([*modes, path, open(path).read()]))"
    )
    assert edited(_App(), _editor(code), "why not") == "why not"
    *modes, path, text = seen.read_text().split(" ", 3)
    assert (modes, text) == (["0o600", "0o700"], "why not")
    assert not (tmp_path / path).exists()


def test_an_editor_that_fails_changes_nothing():
    """As with git: leaving it with an error keeps what was there."""
    assert edited(_App(), _editor("os.remove(path); sys.exit(1)"), "before") == "before"


@pytest.mark.parametrize("editor", ["no-such-editor", "'unbalanced", "; touch x"])
def test_an_editor_that_cannot_start_is_named(monkeypatch, editor):
    """The message waits in the terminal; no shell reads the command."""
    told, app = [], _App()

    def read(prompt):
        assert app.is_suspended
        told.append(prompt)
        return ""

    monkeypatch.setattr(note_input, "input", read, raising=False)
    assert edited(app, editor, "before") == "before"
    assert told[0].startswith(editor)
    assert told[0].endswith("Press Enter. ")
