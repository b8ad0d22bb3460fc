"""The terminal and desktop that this program runs in.

Owns: detecting the terminal and what is between it and the user. Never: reading environment
variables; `settings.py` passes them in.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from approver_tui.attention.preferences import TerminalSequence

_BY_PROGRAM = {
    "iTerm.app": TerminalSequence.OSC9,
    "WarpTerminal": TerminalSequence.OSC9,
    "ghostty": TerminalSequence.OSC777,
    "WezTerm": TerminalSequence.OSC777,
    "kitty": TerminalSequence.OSC99,
    "foot": TerminalSequence.OSC777,
    "rio": TerminalSequence.OSC777,
}
"""The sequence that each terminal supports, by its TERM_PROGRAM."""

_BY_TERM = (
    ("xterm-kitty", TerminalSequence.OSC99),
    ("xterm-ghostty", TerminalSequence.OSC777),
    ("foot", TerminalSequence.OSC777),
    ("wezterm", TerminalSequence.OSC777),
    ("rxvt-unicode", TerminalSequence.OSC777),
)
"""The sequence that each terminal supports, by the start of its TERM."""

_MAC = "darwin"
"""macOS needs no variable: `osascript` reaches the desktop of the logged-in user."""
_DISPLAYS = ("WAYLAND_DISPLAY", "DISPLAY")


@dataclass(frozen=True, slots=True)
class TerminalEnvironment:
    """The terminal and the desktop that this program runs in."""

    sequence: TerminalSequence = TerminalSequence.NONE
    """The notification sequence that this terminal is known to support."""
    is_in_tmux: bool = False
    is_in_screen: bool = False
    is_dumb: bool = False
    """Whether the terminal supports plain text only."""
    is_remote: bool = False
    """Whether the user is at another machine, so that this machine's desktop is not theirs."""
    has_desktop: bool = False
    """Whether this machine has a desktop session that can show notifications."""

    @classmethod
    def detect(
        cls, environment: Mapping[str, str], platform: str = "linux"
    ) -> "TerminalEnvironment":
        """Detect the terminal and desktop from environment variables and Python's platform name.

        In tmux and screen, TERM and TERM_PROGRAM name those programs. In that case the outer
        terminal is detected by its own variables, which they pass on.
        """
        term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
        is_in_tmux = bool(environment.get("TMUX"))
        outer = _outer_terminal(environment) or program
        return cls(
            sequence=_sequence(outer, term),
            is_in_tmux=is_in_tmux,
            is_in_screen=not is_in_tmux and bool(environment.get("STY")),
            is_dumb=term == "dumb",
            is_remote=bool(environment.get("SSH_CONNECTION") or environment.get("SSH_TTY")),
            has_desktop=platform == _MAC or _has_desktop(environment),
        )


UNKNOWN_TERMINAL = TerminalEnvironment()
"""An unknown terminal without a desktop."""

_OWN_VARIABLES = {
    "KITTY_WINDOW_ID": "kitty",
    "WEZTERM_PANE": "WezTerm",
    "GHOSTTY_RESOURCES_DIR": "ghostty",
    "ITERM_SESSION_ID": "iTerm.app",
}


def _outer_terminal(environment: Mapping[str, str]) -> str:
    return next((name for key, name in _OWN_VARIABLES.items() if environment.get(key)), "")


def _sequence(program: str, term: str) -> TerminalSequence:
    if terminal_sequence := _BY_PROGRAM.get(program):
        return terminal_sequence
    return next(
        (sequence for prefix, sequence in _BY_TERM if term.startswith(prefix)),
        TerminalSequence.NONE,
    )


def _has_desktop(environment: Mapping[str, str]) -> bool:
    bus = environment.get("DBUS_SESSION_BUS_ADDRESS")
    return bool(bus) and any(environment.get(name) for name in _DISPLAYS)
