"""Which terminal this is, as far as ringing is concerned."""

import pytest

from approver_tui.attention.preferences import TerminalSequence
from approver_tui.attention.terminal_environment import TerminalEnvironment


@pytest.mark.parametrize(
    ("environment", "sequence"),
    [
        ({"TERM": "xterm-kitty"}, TerminalSequence.OSC99),
        ({"TERM": "foot-extra"}, TerminalSequence.OSC777),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, TerminalSequence.OSC9),
        ({"TERM": "xterm-256color"}, TerminalSequence.NONE),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "x"}, TerminalSequence.NONE),
        (
            {"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "x", "KITTY_WINDOW_ID": "1"},
            TerminalSequence.OSC99,
        ),
        ({}, TerminalSequence.NONE),
    ],
)
def test_a_terminal_is_asked_in_its_own_way(environment, sequence):
    """One that is not known is asked in none, or it would print what it does not understand."""
    assert TerminalEnvironment.of(environment).sequence is sequence


def test_a_desktop_needs_a_bus_and_a_display():
    """A cron job with a bus alone has nobody before it."""
    bus = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1/bus"}
    assert not TerminalEnvironment.of(bus).has_desktop
    assert TerminalEnvironment.of({**bus, "DISPLAY": ":0"}).has_desktop
    assert TerminalEnvironment.of({**bus, "WAYLAND_DISPLAY": "wayland-0"}).has_desktop
    assert not TerminalEnvironment.of({"DISPLAY": ":0"}).has_desktop


def test_a_mac_has_a_desktop_without_any_variable():
    """No bus and no display is named there; who comes from afar sits at another all the same."""
    assert TerminalEnvironment.of({}, "darwin").has_desktop
    assert not TerminalEnvironment.of({}, "linux").has_desktop
    assert TerminalEnvironment.of({"SSH_CONNECTION": "a"}, "darwin").is_remote


def test_what_lies_between_is_known():
    """Tmux within screen is tmux: the inner one reads what is written."""
    assert TerminalEnvironment.of({"TMUX": "x", "STY": "y"}).is_in_tmux
    assert not TerminalEnvironment.of({"TMUX": "x", "STY": "y"}).is_in_screen
    assert TerminalEnvironment.of({"STY": "y"}).is_in_screen
    assert TerminalEnvironment.of({"TERM": "dumb"}).is_dumb
    assert TerminalEnvironment.of({"SSH_CONNECTION": "a"}).is_remote
