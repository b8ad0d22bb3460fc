"""The escape sequences that ring the bell or show a notification.

Owns: the bell, OSC 9, 777 and 99, and the wrappers of tmux and screen. Never: any text except that
of an Alert.
"""

from collections.abc import Callable, Mapping

from approver_tui.attention.preferences import TerminalSequence
from approver_tui.attention.terminal_environment import TerminalEnvironment

BELL = "\a"
_ESCAPE = "\x1b"
_TITLE = "Sayso"

_SEQUENCES: Mapping[TerminalSequence, Callable[[str], str]] = {
    TerminalSequence.OSC9: lambda text: f"\x1b]9;{text}\a",
    TerminalSequence.OSC777: lambda text: f"\x1b]777;notify;{_TITLE};{text}\a",
    # The same id for all: a new notification replaces the one before it.
    TerminalSequence.OSC99: lambda text: f"\x1b]99;i=sayso;{text}\a",
}


def choose_sequence(
    terminal_sequence: TerminalSequence, environment: TerminalEnvironment
) -> TerminalSequence:
    """Return the sequence to use; NONE if they are off or the terminal supports none."""
    if environment.is_dumb:
        return TerminalSequence.NONE
    return environment.sequence if terminal_sequence is TerminalSequence.AUTO else terminal_sequence


def notification_sequence(
    sequence: TerminalSequence, text: str, environment: TerminalEnvironment
) -> str:
    """Return the escape sequence of a notification; an empty string for NONE."""
    template = _SEQUENCES.get(sequence)
    return (
        "" if template is None else _wrap_for_multiplexer(template(_printable(text)), environment)
    )


def _wrap_for_multiplexer(sequence: str, environment: TerminalEnvironment) -> str:
    """Wrap a sequence so that tmux or screen passes it on to the terminal."""
    if environment.is_in_tmux:
        return f"\x1bPtmux;{sequence.replace(_ESCAPE, _ESCAPE * 2)}\x1b\\"
    if environment.is_in_screen:
        return f"\x1bP{sequence}\x1b\\"
    return sequence


def _printable(text: str) -> str:
    """Keep only printable ASCII. The text is fixed, so this is a second line of defense."""
    return "".join(letter for letter in text if letter.isascii() and letter.isprintable())
