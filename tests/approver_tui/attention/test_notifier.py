"""How the user is alerted: the bell, the terminal, the desktop."""

import queue
import threading

import pytest

from approver_tui.attention import desktop
from approver_tui.attention.alert_schedule import Alert, AlertSchedule, alert_text
from approver_tui.attention.event_alerts import handle_event_alert
from approver_tui.attention.notifier import Notifier, plan_delivery
from approver_tui.attention.preferences import AlertLevel, AlertPreferences, TerminalSequence
from approver_tui.attention.terminal_environment import UNKNOWN_TERMINAL, TerminalEnvironment
from approver_tui.attention.terminal_sequences import notification_sequence
from approver_tui.state.notifications.events import Event, EventName
from approver_tui.state.risks import Risk
from tests.support.fakes.fake_approvals import an_approval

TEXT = alert_text([Risk.HIGH])
LOUD = Alert(TEXT, AlertLevel.DESKTOP)
DESKTOP = TerminalEnvironment(has_desktop=True)
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
    """The sequences are those of the terminals' manuals."""
    assert notification_sequence(sequence, TEXT, UNKNOWN_TERMINAL) == written


def test_tmux_and_screen_pass_the_sequence_on():
    """Escapes are doubled for tmux; both need a wrapper."""
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


def test_no_control_character_gets_into_a_sequence():
    """The text is fixed. If it ever were not, nothing could end the sequence early."""
    written = notification_sequence(
        TerminalSequence.OSC9, "a\x1b]0;title\a\x9c\u202eb", UNKNOWN_TERMINAL
    )
    assert written == "\x1b]9;a]0;titleb\a"


def test_the_bell_level_only_rings():
    """Medium risk rings and shows nothing."""
    assert plan_delivery(Alert(TEXT, AlertLevel.BELL), AlertPreferences(), KITTY) == ("\a", False)


def test_no_alert_is_shown_twice():
    """A terminal that shows notifications gets it; else this desktop, if the user is here."""
    wanted = AlertPreferences()
    assert plan_delivery(LOUD, wanted, KITTY) == (
        "\a" + notification_sequence(TerminalSequence.OSC99, TEXT, KITTY),
        False,
    )
    assert plan_delivery(LOUD, wanted, DESKTOP) == ("\a", True)
    assert plan_delivery(LOUD, wanted, TerminalEnvironment(has_desktop=True, is_remote=True)) == (
        "\a",
        False,
    )
    assert plan_delivery(LOUD, wanted, UNKNOWN_TERMINAL) == ("\a", False)


def test_the_setting_overrides_the_detected_sequence():
    """A text-only terminal still gets none."""
    wanted = AlertPreferences(sequence=TerminalSequence.OSC9)
    assert "]9;" in plan_delivery(LOUD, wanted, KITTY)[0]
    assert plan_delivery(LOUD, AlertPreferences(sequence=TerminalSequence.NONE), KITTY) == (
        "\a",
        True,
    )
    assert plan_delivery(LOUD, wanted, TerminalEnvironment(is_dumb=True)) == ("\a", False)


def a_caller(around=UNKNOWN_TERMINAL, show=None, ticks=lambda: 0.0):
    """A caller, and what it writes."""
    written = []
    ringer = AlertSchedule(AlertPreferences(), ticks)
    return Notifier(ringer, around, written.append, show or (lambda _text: None)), written


def test_a_request_alerts_once_and_an_answer_ends_it():
    """Events about devices do neither."""
    now = [0.0]
    caller, written = a_caller(ticks=lambda: now[0])
    approval = an_approval("pay")
    handle_event_alert(caller, Event(1, EventName.REQUESTED, 0, approval))
    assert written == ["\a"]
    handle_event_alert(caller, Event(2, EventName.DEVICE_LOCKED, 0))
    now[0] = 31
    caller.tick()
    assert written == ["\a"] * 2
    handle_event_alert(caller, Event(3, EventName.DECIDED, 0, approval))
    now[0] = 62
    caller.tick()
    assert written == ["\a"] * 2


def test_the_server_decides_what_alerts_and_when_again():
    """A request held by quiet hours or a mute is silent. A reminder alerts again."""
    caller, written = a_caller()
    approval = an_approval("pay")
    handle_event_alert(caller, Event(1, EventName.REQUESTED, 0, approval, held="quiet_hours"))
    assert written == []
    handle_event_alert(caller, Event(2, EventName.REMINDER, 0, approval))
    handle_event_alert(caller, Event(3, EventName.REQUESTED, 0, approval))
    assert written == ["\a"]
    handle_event_alert(caller, Event(4, EventName.REMINDER, 0, approval))
    assert written == ["\a"] * 2
    handle_event_alert(caller, Event(5, EventName.DIGEST, 0, approval))
    assert written == ["\a"] * 3


def test_no_text_from_an_agent_is_in_an_alert():
    """The alert contains neither the agent's name, its headline nor its message."""
    hostile = "\x1b]0;owned\a[red]owned\u202e"
    terms = {"agent": hostile, "headline": hostile, "says": hostile, "risk": "high"}
    terms |= {"risk_reason": hostile, "facts": [], "scopes": [("a", "high")], "resource": hostile}
    terms |= {"undo": hostile, "why": hostile, "gives": hostile}
    caller, written = a_caller(KITTY)
    caller.add(an_approval("evil", terms))
    assert written == ["\a" + notification_sequence(TerminalSequence.OSC99, TEXT, KITTY)]


def test_a_hanging_desktop_blocks_nothing():
    """It is called in its own thread."""
    shown, go_on = queue.Queue(), threading.Event()

    def show(text):
        go_on.wait(10)
        shown.put(text)

    caller, written = a_caller(DESKTOP, show)
    caller.add(an_approval("pay"))
    assert written == ["\a"]
    assert shown.empty()
    go_on.set()
    assert shown.get(timeout=10) == TEXT


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH with nothing on it but what a test puts there."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name, body):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)

    return put


def test_the_desktop_is_notified_by_the_first_installed_program(programs, tmp_path):
    """notify-send comes before the bus. Each gets the text as one argument, without a shell."""
    assert desktop.find_program() is None
    assert "no notify-send" in desktop.show(TEXT)
    said = tmp_path / "said"
    programs("gdbus", f'for each; do echo "$each"; done > {said}')
    assert desktop.show(TEXT) == ""
    assert TEXT in said.read_text().splitlines()
    programs("notify-send", f'for each; do echo "$each"; done > {said}')
    assert desktop.show(TEXT) == ""
    assert said.read_text().splitlines()[-2:] == ["Sayso", TEXT]


def test_a_failing_desktop_returns_an_error_message(programs, monkeypatch):
    """The doctor prints it."""
    programs("notify-send", "exit 3")
    assert desktop.show(TEXT) == "notify-send failed with 3"
    programs("notify-send", "exec /bin/sleep 60")
    monkeypatch.setattr(desktop, "_SECONDS", 0.2)
    assert desktop.show(TEXT) == "notify-send did not answer"
