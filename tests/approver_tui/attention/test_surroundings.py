"""Which terminal this is, as far as ringing is concerned."""

import pytest

from approver_tui.attention.preferences import Sequence
from approver_tui.attention.surroundings import Surroundings


@pytest.mark.parametrize(
    ("environment", "sequence"),
    [
        ({"TERM": "xterm-kitty"}, Sequence.OSC99),
        ({"TERM": "foot-extra"}, Sequence.OSC777),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, Sequence.OSC9),
        ({"TERM": "xterm-256color"}, Sequence.NONE),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "x"}, Sequence.NONE),
        (
            {"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "x", "KITTY_WINDOW_ID": "1"},
            Sequence.OSC99,
        ),
        ({}, Sequence.NONE),
    ],
)
def test_a_terminal_is_asked_in_its_own_way(environment, sequence):
    """One that is not known is asked in none, or it would print what it does not understand."""
    assert Surroundings.of(environment).sequence is sequence


def test_a_desktop_needs_a_bus_and_a_display():
    """A cron job with a bus alone has nobody before it."""
    bus = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1/bus"}
    assert not Surroundings.of(bus).has_desktop
    assert Surroundings.of({**bus, "DISPLAY": ":0"}).has_desktop
    assert Surroundings.of({**bus, "WAYLAND_DISPLAY": "wayland-0"}).has_desktop
    assert not Surroundings.of({"DISPLAY": ":0"}).has_desktop


def test_a_mac_has_a_desktop_without_any_variable():
    """No bus and no display is named there; who comes from afar sits at another all the same."""
    assert Surroundings.of({}, "darwin").has_desktop
    assert not Surroundings.of({}, "linux").has_desktop
    assert Surroundings.of({"SSH_CONNECTION": "a"}, "darwin").is_remote


def test_what_lies_between_is_known():
    """Tmux within screen is tmux: the inner one reads what is written."""
    assert Surroundings.of({"TMUX": "x", "STY": "y"}).is_in_tmux
    assert not Surroundings.of({"TMUX": "x", "STY": "y"}).is_in_screen
    assert Surroundings.of({"STY": "y"}).is_in_screen
    assert Surroundings.of({"TERM": "dumb"}).is_dumb
    assert Surroundings.of({"SSH_CONNECTION": "a"}).is_remote
