"""Termination signals, and a terminal that is gone."""

import errno
import io
import os
import sys
import threading

import pexpect
import pytest
from textual.drivers import linux_driver

from approver_tui.screens.termination import tolerate_closed_terminal
from tests.support.checks.waiting import until


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
    """Tests and the web use such a driver."""
    assert not hasattr(tolerate_closed_terminal(_Headless)(), "_file")


def test_other_errors_while_drawing_are_raised():
    """They are bugs."""
    with pytest.raises(UnicodeEncodeError):
        tolerate_closed_terminal(_Driver)(_Odd())._file.write("ä")


@pytest.mark.parametrize("ignores_hangup", [True, False], ids=["nohup", "usual"])
def test_the_app_ends_when_its_terminal_is_closed(tmp_path, ignores_hangup):
    """The app ends even if it was started with SIGHUP ignored, and uses little processor time."""
    program = pexpect.spawn(
        sys.executable,
        ["-m", "approver_tui"],
        env={"PATH": os.environ["PATH"], "TERM": "xterm", "SAYSO_APPROVER_HOME": str(tmp_path)},
        ignore_sighup=ignores_hangup,
    )
    program.expect("sign in", timeout=60)
    program.ptyproc.fileobj.close()
    ended = []
    until(lambda: ended.append(os.wait4(program.pid, os.WNOHANG)) or ended[-1][0], 30)
    _, status, used = ended[-1]
    assert os.waitstatus_to_exitcode(status) == 0
    assert used.ru_utime + used.ru_stime < 15


@pytest.mark.parametrize(
    ("encoding", "typed", "read"),
    [("iso-8859-1", b"\xe9", "é"), ("utf-8", "é".encode(), "é"), ("utf-8", b"\xe9", "\ufffd")],
)
def test_keys_are_read_in_the_encoding_of_the_terminal(monkeypatch, encoding, typed, read):
    """Bytes that are no text end nothing."""
    monkeypatch.setattr(sys, "__stdin__", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    monkeypatch.setattr(linux_driver, "getincrementaldecoder", linux_driver.getincrementaldecoder)
    monkeypatch.setattr(linux_driver.LinuxDriver, "__init__", lambda _self: None)
    reader, writer = os.pipe()
    driver, found = tolerate_closed_terminal(linux_driver.LinuxDriver)(), []
    driver.fileno, driver._debug, driver.exit_event = reader, False, threading.Event()

    def keep(event):
        found.append(event.character)
        driver.exit_event.set()

    driver.process_message = keep
    os.write(writer, typed + b"x")
    os.close(writer)
    driver.run_input_thread()
    os.close(reader)
    assert found[0] == read
