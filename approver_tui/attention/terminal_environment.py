"""Where this program runs, as far as ringing is concerned.

Owns: which terminal this is and what lies between it and the person. Never: reads the
environment; `settings.py` hands it over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from approver_tui.attention.preferences import TerminalSequence

_BY_PROGRAM = MappingProxyType(
    {
        "iTerm.app": TerminalSequence.OSC9,
        "WarpTerminal": TerminalSequence.OSC9,
        "ghostty": TerminalSequence.OSC777,
        "WezTerm": TerminalSequence.OSC777,
        "kitty": TerminalSequence.OSC99,
        "foot": TerminalSequence.OSC777,
        "rio": TerminalSequence.OSC777,
    }
)
"""What each terminal says of itself in TERM_PROGRAM, and what it understands."""

_BY_TERM = (
    ("xterm-kitty", TerminalSequence.OSC99),
    ("xterm-ghostty", TerminalSequence.OSC777),
    ("foot", TerminalSequence.OSC777),
    ("wezterm", TerminalSequence.OSC777),
    ("rxvt-unicode", TerminalSequence.OSC777),
)
"""What each terminal says of itself in TERM, by its beginning."""

_MAC = "darwin"
"""There a desktop needs no variable: `osascript` reaches that of whoever is logged in."""
_DISPLAYS = ("WAYLAND_DISPLAY", "DISPLAY")


@dataclass(frozen=True, slots=True)
class TerminalEnvironment:
    """The terminal and the desktop around this program."""

    terminal: str = ""
    """What the terminal calls itself; empty when it does not say."""
    sequence: TerminalSequence = TerminalSequence.NONE
    """The notification that this terminal is known to understand."""
    is_in_tmux: bool = False
    is_in_screen: bool = False
    is_dumb: bool = False
    """Whether the terminal takes plain text alone."""
    is_remote: bool = False
    """Whether the person sits at another machine: this one's desktop is not theirs."""
    has_desktop: bool = False
    """Whether a desktop session of this machine can be told something."""

    @classmethod
    def of(cls, environment: Mapping[str, str], platform: str = "linux") -> "TerminalEnvironment":
        """Return the surroundings that an environment tells of, on a platform as Python names it.

        Inside tmux and screen TERM and TERM_PROGRAM name those, so the outer terminal is told by
        the variables of its own that they hand on, where it has some.
        """
        term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
        is_in_tmux = bool(environment.get("TMUX"))
        outer = _outer(environment) or program
        return cls(
            terminal=outer or term,
            sequence=_sequence(outer, term),
            is_in_tmux=is_in_tmux,
            is_in_screen=not is_in_tmux and bool(environment.get("STY")),
            is_dumb=term == "dumb",
            is_remote=bool(environment.get("SSH_CONNECTION") or environment.get("SSH_TTY")),
            has_desktop=platform == _MAC or _has_desktop(environment),
        )


NOWHERE = TerminalEnvironment()
"""A terminal that says nothing of itself, and no desktop."""

_OWN_VARIABLES = MappingProxyType(
    {
        "KITTY_WINDOW_ID": "kitty",
        "WEZTERM_PANE": "WezTerm",
        "GHOSTTY_RESOURCES_DIR": "ghostty",
        "ITERM_SESSION_ID": "iTerm.app",
    }
)


def _outer(environment: Mapping[str, str]) -> str:
    return next((name for key, name in _OWN_VARIABLES.items() if environment.get(key)), "")


def _sequence(program: str, term: str) -> TerminalSequence:
    if known := _BY_PROGRAM.get(program):
        return known
    return next((each for start, each in _BY_TERM if term.startswith(start)), TerminalSequence.NONE)


def _has_desktop(environment: Mapping[str, str]) -> bool:
    bus = environment.get("DBUS_SESSION_BUS_ADDRESS")
    return bool(bus) and any(environment.get(name) for name in _DISPLAYS)
