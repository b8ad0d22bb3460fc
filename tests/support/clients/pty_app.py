"""`sayso-approver` at a person's terminal: the real program in a pseudo-terminal.

Owns: pressing its keys and reading its screen. Never: the meaning of what is on the screen.
"""

import contextlib
import os
import signal
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pyte
from pexpect import fdpexpect

from tests.support.checks.waiting import until
from tests.support.clients.terminal import Terminal
from tests.support.servers import forking

COLUMNS, LINES = 100, 30
PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_QUIET_SECONDS = 1.0
"""Longer than the guard's 0.8 s, so the guard treats later keys as intended."""
_LARGEST_READ = 65_536
_NOT_INHERITED = ("SAYSO_", "COLORTERM", "COLUMNS", "LINES", "EDITOR", "VISUAL")
"""Variables of the test run's environment that the program does not inherit."""


class OpenedProgram(fdpexpect.fdspawn):  # type: ignore[misc]  # pexpect has no types
    """`sayso-approver` as a fork of a process that has loaded it, at its own terminal.

    Starting the program itself takes a second of processor time. What the interpreter reads when it
    starts, such as the locale, has no effect on a fork.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        env: dict[str, str],
        dimensions: tuple[int, int],
        **more: Any,  # parameters of pexpect
    ) -> None:
        own_end, other_end = os.openpty()
        termios.tcsetwinsize(other_end, dimensions)
        self._process = forking.open_terminal(arguments, env, other_end)
        os.close(other_end)
        super().__init__(own_end, **more)
        self.pid = self._process.pid

    def isalive(self) -> bool:
        """Report whether the program runs."""
        return self._process.poll() is None

    def wait(self) -> int:
        """Wait until the program ends; return its exit code."""
        return self._process.wait()

    def kill(self, sig: int) -> None:
        """Send the program a signal."""
        os.kill(self.pid, sig)


class Window:
    """One run of the program."""

    def __init__(
        self,
        person: Terminal,
        *arguments: str,
        size: tuple[int, int] = (COLUMNS, LINES),
        started: bool = False,
        **more: str,
    ) -> None:
        """With `started`, start the program itself, not a fork of a process that has loaded it."""
        self.read_at = 0.0
        """When the program last drew something, by `time.perf_counter`."""
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self._text = ""
        """The text of the screen when it was last read; empty if more was drawn since."""
        begin = start_program if started else OpenedProgram
        self.child = begin(arguments, env={**environment(person), **more}, dimensions=size[::-1])

    @property
    def text(self) -> str:
        """Return the text on the screen."""
        self.read()
        if not self._text:
            self._text = "\n".join(self.screen.display)
        return self._text

    def read(self) -> None:
        """Read what the program has drawn since the last read, if anything."""
        with contextlib.suppress(pexpect.TIMEOUT):
            drawn = self.child.read_nonblocking(_LARGEST_READ, _LOOK_SECONDS)
            self.read_at = time.perf_counter()
            self._stream.feed(drawn)
            self._text = ""

    def suspend(self) -> None:
        """Stop the program with SIGSTOP, and return once it has stopped."""
        suspend(self.child)

    def go_on(self) -> None:
        """Resume the program."""
        os.kill(self.child.pid, signal.SIGCONT)

    def hang_up(self) -> None:
        """Close the terminal of the running program."""
        hang_up(self.child)

    def leave(self) -> None:
        """Close the terminal and wait until the program has ended."""
        leave(self.child)

    def rest_of_it(self) -> str:
        """Wait until the program has ended, and return its remaining output."""
        self.child.expect(pexpect.EOF, timeout=PATIENCE_SECONDS)
        return bytes(self.child.before).decode()

    def wait_for_text(self, *words: str) -> None:
        """Wait until all of these words are on the screen."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while not all(word in self.text for word in words):
            assert time.monotonic() < ends, f"never saw {words} on:\n{self.text}"

    def wait_until_gone(self, *words: str) -> None:
        """Wait until none of these words is on the screen."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while any(word in self.text for word in words):
            assert time.monotonic() < ends, f"always saw one of {words} on:\n{self.text}"

    def press(self, *keys: str) -> None:
        """Press keys or type texts like an attentive person: pause a second before each of them."""
        for key in keys:
            self.wait_idle(_QUIET_SECONDS)
            self.child.send(key)

    def wait_idle(self, seconds: float) -> None:
        """Read the screen for this time without pressing a key."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.read()


@contextlib.contextmanager
def window(
    person: Terminal,
    *arguments: str,
    size: tuple[int, int] = (COLUMNS, LINES),
    started: bool = False,
    **more: str,
) -> Iterator[Window]:
    """Run the app while the block runs; it is live when the block starts."""
    opened = Window(person, *arguments, size=size, started=started, **more)
    try:
        opened.wait_for_text("LIVE")
        yield opened
    finally:
        opened.leave()


def suspend(child: Any) -> None:
    """Stop a program, and wait until it has stopped, because a signal takes a moment."""
    os.kill(child.pid, signal.SIGSTOP)
    status = Path(f"/proc/{child.pid}/stat")
    until(lambda: status.read_text().rpartition(")")[2].split()[0] == "T")


def hang_up(child: Any) -> None:
    """Close the terminal of a running program."""
    (child.ptyproc.fileobj if isinstance(child, pexpect.spawn) else child).close()


def start_program(arguments: Sequence[str], **more: Any) -> pexpect.spawn:
    """Start `sayso-approver` as a shell does."""
    return pexpect.spawn(sys.executable, ["-m", "approver_tui", *arguments], **more)


def leave(child: Any) -> None:
    """Close the program's terminal; the test fails if the program does not end soon."""
    hang_up(child)
    try:
        until(lambda: not child.isalive(), PATIENCE_SECONDS)
    except AssertionError as error:
        calls = [call.read_text() for call in Path(f"/proc/{child.pid}/task").glob("*/syscall")]
        raise AssertionError(f"it still runs; the system calls of its threads: {calls}") from error
    finally:
        if child.isalive():
            child.kill(signal.SIGKILL)
            child.wait()
        child.close()


def environment(person: Terminal) -> dict[str, str]:
    """Return the environment of the program at this person's terminal."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
    }
    return {
        **inherited,
        "TERM": "xterm-256color",
        "SAYSO_APPROVER_HOME": str(person.home),
        "SAYSO_DATA_DIR": str(person.home / "none"),
    }
