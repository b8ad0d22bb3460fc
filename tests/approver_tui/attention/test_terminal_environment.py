"""Detecting the terminal and the notifications that it supports."""

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
def test_each_terminal_is_detected_by_its_variables(environment, sequence):
    """An unknown terminal gets no sequence, because it would print the sequence as text."""
    assert TerminalEnvironment.detect(environment).sequence is sequence


def test_a_desktop_needs_a_bus_and_a_display():
    """A bus without a display is not a desktop: a cron job has only a bus."""
    bus = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1/bus"}
    assert not TerminalEnvironment.detect(bus).has_desktop
    assert TerminalEnvironment.detect({**bus, "DISPLAY": ":0"}).has_desktop
    assert TerminalEnvironment.detect({**bus, "WAYLAND_DISPLAY": "wayland-0"}).has_desktop
    assert not TerminalEnvironment.detect({"DISPLAY": ":0"}).has_desktop


def test_a_mac_has_a_desktop_without_any_variable():
    """A Mac always has a desktop. Over SSH it is remote, because the user sits elsewhere."""
    assert TerminalEnvironment.detect({}, "darwin").has_desktop
    assert not TerminalEnvironment.detect({}, "linux").has_desktop
    assert TerminalEnvironment.detect({"SSH_CONNECTION": "a"}, "darwin").is_remote


def test_tmux_and_screen_are_detected():
    """If tmux runs inside screen, tmux is detected, because tmux reads the output."""
    assert TerminalEnvironment.detect({"TMUX": "x", "STY": "y"}).is_in_tmux
    assert not TerminalEnvironment.detect({"TMUX": "x", "STY": "y"}).is_in_screen
    assert TerminalEnvironment.detect({"STY": "y"}).is_in_screen
    assert TerminalEnvironment.detect({"TERM": "dumb"}).is_dumb
    assert TerminalEnvironment.detect({"SSH_CONNECTION": "a"}).is_remote
