"""Termination signals, and a terminal that was closed."""

import errno
import io
import os
import signal
import sys
import threading
from pathlib import Path

import pexpect
import pytest
from textual.drivers import linux_driver

from approver_tui.screens.termination import tolerate_closed_terminal
from tests.support.checks.waiting import until

_ALTERNATE_SCREEN = "\x1b[?1049h"


class _ClosedTerminal:
    """A terminal that was closed."""

    def fileno(self):
        return 2

    def write(self, _text):
        raise OSError(errno.EIO, "gone")

    def flush(self):
        raise OSError(errno.EIO, "gone")


class _AsciiTerminal(_ClosedTerminal):
    """A terminal that cannot write letters outside ASCII."""

    def write(self, text):
        text.encode("ascii")


class _Driver:
    """A driver that draws to a file, as Textual's drivers on Linux and Windows do."""

    def __init__(self, file):
        self._file = file


class _Headless:
    """A driver without an output file."""


def test_output_to_a_closed_terminal_is_discarded():
    """Writing to a closed terminal raises nothing, so the writer thread keeps running."""
    file = tolerate_closed_terminal(_Driver)(_ClosedTerminal())._file
    file.write("a frame")
    file.flush()
    assert file.fileno() == 2


def test_a_driver_without_a_terminal_is_unchanged():
    """The drivers for tests and for the web do not draw to a file and are used as they are."""
    assert not hasattr(tolerate_closed_terminal(_Headless)(), "_file")


def test_other_errors_while_drawing_are_raised():
    """An error other than a closed terminal is a bug and is not hidden."""
    with pytest.raises(UnicodeEncodeError):
        tolerate_closed_terminal(_Driver)(_AsciiTerminal())._file.write("ä")


def _open_app(folder, *, ignores_hangup):
    """Open the app in a terminal of its own, where it asks for the server to sign in to."""
    program = pexpect.spawn(
        sys.executable,
        ["-m", "approver_tui"],
        env={"PATH": os.environ["PATH"], "TERM": "xterm", "SAYSO_APPROVER_HOME": str(folder)},
        ignore_sighup=ignores_hangup,
    )
    program.expect("sign in", timeout=60)
    return program


def _count_threads(pid):
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


@pytest.mark.parametrize("ignores_hangup", [True, False], ids=["nohup", "usual"])
def test_the_app_ends_when_its_terminal_is_closed(tmp_path, ignores_hangup):
    """The app exits, also under `nohup`, and does not keep using the processor."""
    program = _open_app(tmp_path, ignores_hangup=ignores_hangup)
    program.ptyproc.fileobj.close()
    results = []
    until(lambda: results.append(os.wait4(program.pid, os.WNOHANG)) or results[-1][0], 30)
    _, status, usage = results[-1]
    assert os.waitstatus_to_exitcode(status) == 0
    assert usage.ru_utime + usage.ru_stime < 15


def test_a_running_app_that_is_continued_keeps_its_number_of_threads(tmp_path):
    """A closing terminal sends SIGCONT too; a second input thread could outlive the app."""
    program = _open_app(tmp_path, ignores_hangup=False)
    count = _count_threads(program.pid)
    for _ in range(3):
        program.kill(signal.SIGCONT)
        program.expect_exact(_ALTERNATE_SCREEN, timeout=60)
        until(lambda: _count_threads(program.pid) == count, 30)
    program.kill(signal.SIGTERM)
    program.expect_exact(pexpect.EOF, timeout=60)
    program.close()
    assert program.exitstatus == 0


@pytest.mark.parametrize(
    ("encoding", "typed", "read"),
    [("iso-8859-1", b"\xe9", "é"), ("utf-8", "é".encode(), "é"), ("utf-8", b"\xe9", "\ufffd")],
)
def test_keys_are_read_in_the_encoding_of_the_terminal(monkeypatch, encoding, typed, read):
    """Invalid bytes become a replacement character and do not stop the app."""
    monkeypatch.setattr(sys, "__stdin__", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    monkeypatch.setattr(linux_driver, "getincrementaldecoder", linux_driver.getincrementaldecoder)
    monkeypatch.setattr(linux_driver.LinuxDriver, "__init__", lambda _self: None)
    reader, writer = os.pipe()
    driver, characters = tolerate_closed_terminal(linux_driver.LinuxDriver)(), []
    driver.fileno, driver._debug, driver.exit_event = reader, False, threading.Event()

    def record_character(event):
        characters.append(event.character)
        driver.exit_event.set()

    driver.process_message = record_character
    os.write(writer, typed + b"x")
    os.close(writer)
    driver.run_input_thread()
    os.close(reader)
    assert characters[0] == read
