"""`sayso-approver` at one person's terminal: the real program in a pseudo-terminal.

Owns: its keys and what stands on its screen. Never: what that means.
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
"""Longer than the guard's 0.8 s: keys after it were meant."""
_LARGEST_READ = 65_536
_DROPPED = ("SAYSO_", "COLORTERM", "COLUMNS", "LINES", "EDITOR", "VISUAL")
"""What the test run itself is started with says nothing about this terminal."""


class OpenedProgram(fdpexpect.fdspawn):  # type: ignore[misc]  # pexpect has no types
    """`sayso-approver` as a copy of a process that has loaded it, at a terminal of its own.

    A start of the program itself takes a second of the processor. What the interpreter reads when
    it starts, such as the locale, says nothing to a copy.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        env: dict[str, str],
        dimensions: tuple[int, int],
        **more: Any,  # what pexpect takes
    ) -> None:
        mine, theirs = os.openpty()
        termios.tcsetwinsize(theirs, dimensions)
        self._process = forking.open_terminal(arguments, env, theirs)
        os.close(theirs)
        super().__init__(mine, **more)
        self.pid = self._process.pid

    def isalive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def wait(self) -> int:
        """Wait for its end; its exit code."""
        return self._process.wait()

    def kill(self, sig: int) -> None:
        """Send it a signal."""
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
        """`started`: the program itself, not a copy of a process that has loaded it."""
        self.read_at = 0.0
        """When the program last drew something, on the clock of performance."""
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self._text = ""
        """What stood on the screen when it was last asked for; empty if more was drawn since."""
        begin = start_program if started else OpenedProgram
        self.child = begin(arguments, env={**environment(person), **more}, dimensions=size[::-1])

    @property
    def text(self) -> str:
        """What stands on the screen now."""
        self.read()
        if not self._text:
            self._text = "\n".join(self.screen.display)
        return self._text

    def read(self) -> None:
        """Take what the program has drawn since, if anything."""
        with contextlib.suppress(pexpect.TIMEOUT):
            drawn = self.child.read_nonblocking(_LARGEST_READ, _LOOK_SECONDS)
            self.read_at = time.perf_counter()
            self._stream.feed(drawn)
            self._text = ""

    def suspend(self) -> None:
        """Stop the program as `kill -STOP` does; it is stopped when this returns."""
        suspend(self.child)

    def go_on(self) -> None:
        """Let it run again."""
        os.kill(self.child.pid, signal.SIGCONT)

    def hang_up(self) -> None:
        """Take the terminal away from under the program."""
        hang_up(self.child)

    def leave(self) -> None:
        """Have it gone."""
        leave(self.child)

    def rest_of_it(self) -> str:
        """Wait until the program has ended and return what it wrote meanwhile."""
        self.child.expect(pexpect.EOF, timeout=PATIENCE_SECONDS)
        return bytes(self.child.before).decode()

    def shows(self, *words: str) -> None:
        """Wait until all of these stand on the screen."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while not all(word in self.text for word in words):
            assert time.monotonic() < ends, f"never saw {words} on:\n{self.text}"

    def hides(self, *words: str) -> None:
        """Wait until none of these stands on the screen any more."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while any(word in self.text for word in words):
            assert time.monotonic() < ends, f"always saw one of {words} on:\n{self.text}"

    def press(self, *keys: str) -> None:
        """Press keys as a person does who looks: after a second without any."""
        for key in keys:
            self.rest(_QUIET_SECONDS)
            self.child.send(key)

    def rest(self, seconds: float) -> None:
        """Look for so long and press nothing."""
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
    """Open the app until it is live, and have it gone afterwards."""
    opened = Window(person, *arguments, size=size, started=started, **more)
    try:
        opened.shows("LIVE")
        yield opened
    finally:
        opened.leave()


def suspend(child: Any) -> None:
    """Stop a program; a signal takes a moment to arrive."""
    os.kill(child.pid, signal.SIGSTOP)
    status = Path(f"/proc/{child.pid}/stat")
    until(lambda: status.read_text().rpartition(")")[2].split()[0] == "T")


def hang_up(child: Any) -> None:
    """Take the terminal away from under a program."""
    (child.ptyproc.fileobj if isinstance(child, pexpect.spawn) else child).close()


def start_program(arguments: Sequence[str], **more: Any) -> pexpect.spawn:
    """`sayso-approver`, started as a shell does."""
    return pexpect.spawn(sys.executable, ["-m", "approver_tui", *arguments], **more)


def leave(child: Any) -> None:
    """A program ends when its terminal does; what has not ended after a while fails the test."""
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
    """What the program is started with at this person's terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    return {
        **kept,
        "TERM": "xterm-256color",
        "SAYSO_APPROVER_HOME": str(person.home),
        "SAYSO_DATA_DIR": str(person.home / "none"),
    }
