"""How the user is alerted: the bell, the terminal, the desktop."""

import queue
import threading

import pytest

from approver_tui.attention import desktop
from approver_tui.attention.alert_schedule import Alert, AlertSchedule, alert_text
from approver_tui.attention.notifier import Notifier, handle_event_alert, plan_delivery
from approver_tui.attention.preferences import AlertLevel, AlertPreferences, TerminalSequence
from approver_tui.attention.terminal_environment import UNKNOWN_TERMINAL, TerminalEnvironment
from approver_tui.attention.terminal_sequences import notification_sequence
from approver_tui.state.notifications.events import Event, EventName
from approver_tui.state.risks import Risk
from tests.support.fakes.fake_approvals import an_approval

TEXT = alert_text([Risk.HIGH])
DESKTOP_ALERT = Alert(TEXT, AlertLevel.DESKTOP)
DESKTOP_ONLY = TerminalEnvironment(has_desktop=True)
KITTY = TerminalEnvironment(sequence=TerminalSequence.OSC99, has_desktop=True)


@pytest.mark.parametrize(
    ("sequence", "written"),
    [
        (TerminalSequence.OSC9, f"\x1b]9;{TEXT}\a"),
        (TerminalSequence.OSC777, f"\x1b]777;notify;Sayso;{TEXT}\a"),
        (TerminalSequence.OSC99, f"\x1b]99;i=sayso;{TEXT}\a"),
        (TerminalSequence.NONE, ""),
    ],
)
def test_each_terminal_gets_its_own_sequence(sequence, written):
    """Each notification sequence is the one that the manual of its terminal documents."""
    assert notification_sequence(sequence, TEXT, UNKNOWN_TERMINAL) == written


def test_tmux_and_screen_pass_the_sequence_on():
    """Both programs need a wrapper around the sequence; tmux also needs doubled escapes."""
    inner = f"]9;{TEXT}\a"
    in_tmux, in_screen = (
        TerminalEnvironment(is_in_tmux=True),
        TerminalEnvironment(is_in_screen=True),
    )
    assert (
        notification_sequence(TerminalSequence.OSC9, TEXT, in_tmux)
        == f"\x1bPtmux;\x1b\x1b{inner}\x1b\\"
    )
    assert (
        notification_sequence(TerminalSequence.OSC9, TEXT, in_screen) == f"\x1bP\x1b{inner}\x1b\\"
    )


def test_control_characters_are_removed_from_a_sequence():
    """Control characters in the text are removed, so it cannot end the sequence early."""
    written = notification_sequence(
        TerminalSequence.OSC9, "a\x1b]0;title\a\x9c\u202eb", UNKNOWN_TERMINAL
    )
    assert written == "\x1b]9;a]0;titleb\a"


def test_the_bell_level_only_rings():
    """An alert at the bell level rings and shows no notification."""
    assert plan_delivery(Alert(TEXT, AlertLevel.BELL), AlertPreferences(), KITTY) == ("\a", False)


def test_no_alert_is_shown_twice():
    """The terminal shows the alert if it can; otherwise the local desktop shows it."""
    preferences = AlertPreferences()
    assert plan_delivery(DESKTOP_ALERT, preferences, KITTY) == (
        "\a" + notification_sequence(TerminalSequence.OSC99, TEXT, KITTY),
        False,
    )
    assert plan_delivery(DESKTOP_ALERT, preferences, DESKTOP_ONLY) == ("\a", True)
    assert plan_delivery(
        DESKTOP_ALERT, preferences, TerminalEnvironment(has_desktop=True, is_remote=True)
    ) == (
        "\a",
        False,
    )
    assert plan_delivery(DESKTOP_ALERT, preferences, UNKNOWN_TERMINAL) == ("\a", False)


def test_the_setting_overrides_the_detected_sequence():
    """The configured sequence replaces the detected one, except in a terminal with TERM=dumb."""
    preferences = AlertPreferences(sequence=TerminalSequence.OSC9)
    assert "]9;" in plan_delivery(DESKTOP_ALERT, preferences, KITTY)[0]
    assert plan_delivery(
        DESKTOP_ALERT, AlertPreferences(sequence=TerminalSequence.NONE), KITTY
    ) == (
        "\a",
        True,
    )
    assert plan_delivery(DESKTOP_ALERT, preferences, TerminalEnvironment(is_dumb=True)) == (
        "\a",
        False,
    )


def a_notifier(environment=UNKNOWN_TERMINAL, show=None, ticks=lambda: 0.0):
    """Return a notifier and the list of what it writes to the terminal."""
    written = []
    schedule = AlertSchedule(AlertPreferences(), ticks)
    return Notifier(schedule, environment, written.append, show or (lambda _text: None)), written


def test_a_request_alerts_once_and_an_answer_ends_it():
    """A request repeats its alert until it is decided. Events about devices do not alert."""
    now = [0.0]
    notifier, written = a_notifier(ticks=lambda: now[0])
    approval = an_approval("pay")
    handle_event_alert(notifier, Event(1, EventName.REQUESTED, 0, approval))
    assert written == ["\a"]
    handle_event_alert(notifier, Event(2, EventName.DEVICE_LOCKED, 0))
    now[0] = 31
    notifier.tick()
    assert written == ["\a"] * 2
    handle_event_alert(notifier, Event(3, EventName.DECIDED, 0, approval))
    now[0] = 62
    notifier.tick()
    assert written == ["\a"] * 2


def test_the_server_decides_what_alerts_and_when_again():
    """A request held by quiet hours or a mute is silent. A reminder alerts again."""
    notifier, written = a_notifier()
    approval = an_approval("pay")
    handle_event_alert(notifier, Event(1, EventName.REQUESTED, 0, approval, held="quiet_hours"))
    assert written == []
    handle_event_alert(notifier, Event(2, EventName.REMINDER, 0, approval))
    handle_event_alert(notifier, Event(3, EventName.REQUESTED, 0, approval))
    assert written == ["\a"]
    handle_event_alert(notifier, Event(4, EventName.REMINDER, 0, approval))
    assert written == ["\a"] * 2
    handle_event_alert(notifier, Event(5, EventName.DIGEST, 0, approval))
    assert written == ["\a"] * 3


def test_no_text_from_an_agent_is_in_an_alert():
    """The alert contains neither the agent's name, its headline nor its message."""
    hostile = "\x1b]0;owned\a[red]owned\u202e"
    terms = {"agent": hostile, "headline": hostile, "says": hostile, "risk": "high"}
    terms |= {"risk_reason": hostile, "facts": [], "scopes": [("a", "high")], "resource": hostile}
    terms |= {"undo": hostile, "why": hostile, "gives": hostile}
    notifier, written = a_notifier(KITTY)
    notifier.add(an_approval("evil", terms))
    assert written == ["\a" + notification_sequence(TerminalSequence.OSC99, TEXT, KITTY)]


def test_a_hanging_desktop_does_not_block_the_bell():
    """The desktop program runs in its own thread, so the terminal rings immediately."""
    shown, released = queue.Queue(), threading.Event()

    def show(text):
        released.wait(10)
        shown.put(text)

    notifier, written = a_notifier(DESKTOP_ONLY, show)
    notifier.add(an_approval("pay"))
    assert written == ["\a"]
    assert shown.empty()
    released.set()
    assert shown.get(timeout=10) == TEXT


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Return a function that installs a program on an otherwise empty PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def install(name, body):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)

    return install


def test_the_desktop_is_notified_by_the_first_installed_program(programs, tmp_path):
    """notify-send is preferred to gdbus. Each gets the text as one argument, without a shell."""
    assert desktop.find_program() is None
    assert "notify-send, gdbus" in desktop.show(TEXT)
    arguments_file = tmp_path / "arguments"
    programs("gdbus", f'for argument; do echo "$argument"; done > {arguments_file}')
    assert desktop.show(TEXT) == ""
    assert TEXT in arguments_file.read_text().splitlines()
    programs("notify-send", f'for argument; do echo "$argument"; done > {arguments_file}')
    assert desktop.show(TEXT) == ""
    assert arguments_file.read_text().splitlines()[-2:] == ["Sayso", TEXT]


def test_a_failing_desktop_returns_an_error_message(programs, monkeypatch):
    """A desktop program that fails or hangs gives a message, which the `doctor` command prints."""
    programs("notify-send", "exit 3")
    assert desktop.show(TEXT) == "notify-send exited with code 3"
    programs("notify-send", "exec /bin/sleep 60")
    monkeypatch.setattr(desktop, "_SECONDS", 0.2)
    assert desktop.show(TEXT) == "notify-send did not respond"
