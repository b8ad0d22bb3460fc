"""`sayso demo`, with and without a terminal."""

import os
import re
import subprocess
import sys
import time

import pexpect
import pyte

SAYSO = [sys.executable, "-m", "server", "demo"]
PIN = "123456"
_SECONDS = 240
_DOWN = "\x1b[B"


def _environment() -> dict[str, str]:
    # COLUMNS and LINES, which readline sets when it is loaded, would override the terminal's size.
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SAYSO_") and name not in {"COLUMNS", "LINES"}
    }
    return {**variables, "TERM": "xterm-256color", "TEXTUAL_ANIMATIONS": "none"}


def test_without_a_terminal_the_demo_plays_both_sides_and_verifies_the_tokens() -> None:
    """The output has two verified tokens, a denial with its note, and the audit log."""
    result = subprocess.run(
        SAYSO, env=_environment(), capture_output=True, text=True, timeout=_SECONDS, check=False
    )

    assert result.returncode == 0, result.stderr
    assert result.stdout.count("a token, verified against /jwks:") == 2
    assert '"authorization_details"' in result.stdout
    assert '"deny_code": "not_needed", "note": "Not before Monday."' in result.stdout
    events = re.findall(r"^  ([a-z]+\.[a-z]+) ", result.stdout, re.MULTILINE)
    assert events.count("approval.requested") == 3
    assert events.count("token.issued") == 2
    assert "sayso_cs_" not in result.stdout


class _Terminal:
    """A program in a real terminal, and its screen."""

    def __init__(self, columns: int, lines: int) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._child = pexpect.spawn(
            SAYSO[0], SAYSO[1:], env=_environment(), dimensions=(lines, columns), timeout=_SECONDS
        )

    def text(self) -> str:
        """The screen as text."""
        return "\n".join(self.screen.display)

    def until(self, words: str) -> str:
        """Reads until the screen shows these words."""
        return self.press_until("", words)

    def press_until(self, keys: str, words: str) -> str:
        """Types these keys repeatedly until the screen shows these words."""
        ends = time.monotonic() + _SECONDS
        while words not in self.text():
            assert time.monotonic() < ends, f"never saw {words!r} on:\n{self.text()}"
            if keys:
                self.press(keys)
            if not self._read():
                break
        assert words in self.text(), self.text()
        return self.text()

    def _read(self) -> bool:
        """Reads for a moment; False when the program has ended."""
        try:
            self._stream.feed(self._child.read_nonblocking(65_536, timeout=0.2))
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        return True

    def press(self, keys: str) -> None:
        """Types keys, after the pause that the app's input guard requires."""
        time.sleep(1.2)
        self._child.send(keys)

    def choose(self, fact: str) -> None:
        """Goes down the list until the selected request shows this fact."""
        for key in ("g", _DOWN, _DOWN):
            self.press(key)
            ends = time.monotonic() + 5
            while fact not in self.text() and time.monotonic() < ends:
                self._read()
            if fact in self.text():
                return
        raise AssertionError(f"nothing has {fact!r} on:\n{self.text()}")

    def wait_idle(self) -> str:
        """Returns what is printed until the program ends, and checks that it ends with 0."""
        printed = self._child.read().decode()
        self._child.close()
        assert self._child.exitstatus == 0, printed
        return printed


def test_with_a_terminal_a_user_approves_the_payment_in_the_app() -> None:
    """A user who approves in the app gets the token printed and verified after quitting."""
    terminal = _Terminal(100, 30)
    terminal.until("Press any key")
    terminal.press(" ")
    terminal.until("Inbox 3")
    terminal.choose("DE89 3704 0044 0532 0130 00")
    terminal.press("a")
    terminal.until("Approve?  HIGH RISK")
    terminal.press_until("\x1b[6~", "press Tab, then type the last 4")
    terminal.press("\x1b[Z\x1b[Z\x1b[Z")
    terminal.until("[ Back ]")
    terminal.press("3000")
    terminal.until("Approve unavailable: type your PIN.")
    terminal.press("\t")
    terminal.press(PIN)
    terminal.until("Tab to Approve, then Enter.")
    terminal.press("\t")
    terminal.until("> Approve")
    terminal.press("\r")
    terminal.until("Approved")
    terminal.press("q")
    printed = terminal.wait_idle()

    assert "requested to pay an invoice. Result:\r\n  a token, verified against /jwks:" in printed
    assert printed.count("a token, verified") == 1
    assert "approval.approved" in printed
