"""Termination signals, and a terminal that is gone."""

import errno

import pytest

from approver_tui.screens.termination import tolerate_closed_terminal


class _Gone:
    """A terminal that was closed."""

    def fileno(self):
        return 2

    def write(self, _text):
        raise OSError(errno.EIO, "gone")

    def flush(self):
        raise OSError(errno.EIO, "gone")


class _Odd(_Gone):
    """One that cannot write this letter."""

    def write(self, text):
        text.encode("ascii")


class _Driver:
    """Draws there, as Textual's do on Linux and on Windows."""

    def __init__(self, file):
        self._file = file


class _Headless:
    """Draws nowhere."""


def test_output_to_a_closed_terminal_is_discarded():
    """The writer thread keeps running."""
    file = tolerate_closed_terminal(_Driver)(_Gone())._file
    file.write("a frame")
    file.flush()
    assert file.fileno() == 2


def test_a_driver_without_a_terminal_is_unchanged():
    """As in tests and on the web."""
    assert not hasattr(tolerate_closed_terminal(_Headless)(), "_file")


def test_other_errors_while_drawing_are_raised():
    """They are bugs."""
    with pytest.raises(UnicodeEncodeError):
        tolerate_closed_terminal(_Driver)(_Odd())._file.write("ä")
