"""How somebody is told: the bell, the terminal, the desktop."""

import queue
import threading

import pytest

from approver_tui.attention import desktop
from approver_tui.attention.alert_schedule import Alert, AlertSchedule, words
from approver_tui.attention.event_alerts import alert_for_event
from approver_tui.attention.notifier import Notifier, plan
from approver_tui.attention.preferences import AlertLevel, AlertPreferences, TerminalSequence
from approver_tui.attention.terminal_environment import NOWHERE, TerminalEnvironment
from approver_tui.attention.terminal_sequences import notification
from approver_tui.state.notifications.events import Event, EventName
from approver_tui.state.risks import Risk
from tests.support.fakes.fake_approvals import an_approval

TEXT = words([Risk.HIGH])
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
def test_each_terminal_is_asked_in_its_own_words(sequence, written):
    """As their manuals have it."""
    assert notification(sequence, TEXT, NOWHERE) == written


def test_tmux_and_screen_hand_it_through():
    """Else they would keep it: tmux wants each escape twice, both want it in an envelope."""
    inner = f"]9;{TEXT}\a"
    in_tmux, in_screen = (
        TerminalEnvironment(is_in_tmux=True),
        TerminalEnvironment(is_in_screen=True),
    )
    assert notification(TerminalSequence.OSC9, TEXT, in_tmux) == f"\x1bPtmux;\x1b\x1b{inner}\x1b\\"
    assert notification(TerminalSequence.OSC9, TEXT, in_screen) == f"\x1bP\x1b{inner}\x1b\\"


def test_no_control_character_gets_into_a_sequence():
    """The words are fixed; and if ever they were not, nothing could end the sequence early."""
    written = notification(TerminalSequence.OSC9, "a\x1b]0;title\a\x9c\u202eb", NOWHERE)
    assert written == "\x1b]9;a]0;titleb\a"


def test_a_bell_is_a_bell():
    """Medium risk rings and shows nothing."""
    assert plan(Alert(TEXT, AlertLevel.BELL), AlertPreferences(), KITTY) == ("\a", False)


def test_nothing_is_told_twice():
    """A terminal that shows it is asked; else this desktop, if the person sits at it."""
    wanted = AlertPreferences()
    assert plan(LOUD, wanted, KITTY) == (
        "\a" + notification(TerminalSequence.OSC99, TEXT, KITTY),
        False,
    )
    assert plan(LOUD, wanted, DESKTOP) == ("\a", True)
    assert plan(LOUD, wanted, TerminalEnvironment(has_desktop=True, is_remote=True)) == (
        "\a",
        False,
    )
    assert plan(LOUD, wanted, NOWHERE) == ("\a", False)


def test_the_setting_wins_over_what_the_terminal_is_known_for():
    """But a terminal that takes text alone gets none."""
    wanted = AlertPreferences(sequence=TerminalSequence.OSC9)
    assert "]9;" in plan(LOUD, wanted, KITTY)[0]
    assert plan(LOUD, AlertPreferences(sequence=TerminalSequence.NONE), KITTY) == ("\a", True)
    assert plan(LOUD, wanted, TerminalEnvironment(is_dumb=True)) == ("\a", False)


def a_caller(around=NOWHERE, show=None, ticks=lambda: 0.0):
    """A caller, and what it writes."""
    written = []
    ringer = AlertSchedule(AlertPreferences(), ticks)
    return Notifier(ringer, around, written.append, show or (lambda _text: None)), written


def test_the_feed_rings_and_ends_the_ringing():
    """A request rings once, an answer elsewhere ends it; what is about a device does neither."""
    now = [0.0]
    caller, written = a_caller(ticks=lambda: now[0])
    approval = an_approval("pay")
    alert_for_event(caller, Event(1, EventName.REQUESTED, 0, approval))
    assert written == ["\a"]
    alert_for_event(caller, Event(2, EventName.DEVICE_LOCKED, 0))
    now[0] = 31
    caller.tick()
    assert written == ["\a"] * 2
    alert_for_event(caller, Event(3, EventName.DECIDED, 0, approval))
    now[0] = 62
    caller.tick()
    assert written == ["\a"] * 2


def test_the_server_says_what_may_ring_and_when_again():
    """Held by quiet hours or a mute it is silent; a reminder tells of what was told already."""
    caller, written = a_caller()
    approval = an_approval("pay")
    alert_for_event(caller, Event(1, EventName.REQUESTED, 0, approval, held="quiet_hours"))
    assert written == []
    alert_for_event(caller, Event(2, EventName.REMINDER, 0, approval))
    alert_for_event(caller, Event(3, EventName.REQUESTED, 0, approval))
    assert written == ["\a"]
    alert_for_event(caller, Event(4, EventName.REMINDER, 0, approval))
    assert written == ["\a"] * 2
    alert_for_event(caller, Event(5, EventName.DIGEST, 0, approval))
    assert written == ["\a"] * 3


def test_a_hostile_agent_has_no_word_in_what_is_written():
    """Not its name, not its headline, not what it says."""
    hostile = "\x1b]0;owned\a[red]owned\u202e"
    terms = {"agent": hostile, "headline": hostile, "says": hostile, "risk": "high"}
    terms |= {"risk_reason": hostile, "facts": [], "scopes": [("a", "high")], "resource": hostile}
    terms |= {"undo": hostile, "why": hostile, "gives": hostile}
    caller, written = a_caller(KITTY)
    caller.asked(an_approval("evil", terms))
    assert written == ["\a" + notification(TerminalSequence.OSC99, TEXT, KITTY)]


def test_a_desktop_that_hangs_holds_nothing_up():
    """It is asked in a thread of its own."""
    shown, go_on = queue.Queue(), threading.Event()

    def show(text):
        go_on.wait(10)
        shown.put(text)

    caller, written = a_caller(DESKTOP, show)
    caller.asked(an_approval("pay"))
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


def test_the_desktop_is_asked_by_what_there_is(programs, tmp_path):
    """notify-send before the bus itself; each gets the words as one argument, without a shell."""
    assert desktop.program() is None
    assert "no notify-send" in desktop.show(TEXT)
    said = tmp_path / "said"
    programs("gdbus", f'for each; do echo "$each"; done > {said}')
    assert desktop.show(TEXT) == ""
    assert TEXT in said.read_text().splitlines()
    programs("notify-send", f'for each; do echo "$each"; done > {said}')
    assert desktop.show(TEXT) == ""
    assert said.read_text().splitlines()[-2:] == ["Sayso", TEXT]


def test_a_desktop_that_fails_is_told_and_ends_nothing(programs, monkeypatch):
    """Whoever tries it reads why."""
    programs("notify-send", "exit 3")
    assert desktop.show(TEXT) == "notify-send failed with 3"
    programs("notify-send", "exec /bin/sleep 60")
    monkeypatch.setattr(desktop, "_SECONDS", 0.2)
    assert desktop.show(TEXT) == "notify-send did not answer"
