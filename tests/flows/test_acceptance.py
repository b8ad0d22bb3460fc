"""What the terminal app must never do, tested with the real program and a real server."""

import json
import time

import pytest

from server.services.policy.action_types import ActionTypes
from server.services.users.users import Users
from tests.support.builders.installation import PAYMENT
from tests.support.checks.waiting import until
from tests.support.clients.agent import PAYMENT_DETAILS, Agent
from tests.support.clients.pty_app import PATIENCE_SECONDS, Window, window
from tests.support.clients.terminal import PIN, Terminal, terminal
from tests.support.servers.server import BY, LiveServer

SCOPE = "openid payments:transfer"
FOCUS_OUT, FOCUS_IN = "\x1b[O", "\x1b[I"
HOSTILE = "Nord\x1b]0;owned\x07[@click=app.quit]wind[/]\u202e"
FIVE_KILOBYTES = (HOSTILE + " ") * (5_000 // len(HOSTILE))
HEADLINE = "Pay EUR 4,820.00 to Nordwind Logistik GmbH"
_MEMBERS = {**PAYMENT["schema"]["properties"], "reference": {"type": "string", "maxLength": 6_000}}
WITH_REFERENCE = {**PAYMENT, "schema": {**PAYMENT["schema"], "properties": _MEMBERS}}
FACTS = (
    *("HIGH RISK", "Pay EUR 4,820.00 to Nordwind", "Amount:", "EUR 4,820.00"),
    *("Payee:", "Nordwind", "unusual:", "Type:", "payment.transfer"),
    *("scopes:", "payments:transfer (high)", "resource:", "https://pay.example"),
    *("undo:", "Cannot be undone", "agent:", "requested:", "127.0.0.1", "why you:"),
    *("agent says (not verified):", '"Invoice 4711"', "grants:", "for this action"),
    *("requires:", "your PIN", "expires in", "Expiring isn't a denial", "fingerprint:"),
)
"""What the screen says about a payment, in this order."""
_KEY_INTERVAL_SECONDS = 0.05
"""Seconds between keys: twenty a second."""


def _ask(
    agent: Agent,
    person: Terminal,
    payee: str = "Nordwind",
    minor: int = 482_000,
    **more: str,
) -> str:
    amount = {"minor": minor, "currency": "EUR"}
    details = json.dumps([{**PAYMENT_DETAILS[0], "payee": payee, "amount": amount}])
    return agent.request_approval(person.user, scope=SCOPE, authorization_details=details, **more)


def _click(app: Window, words: str, first: str = "") -> None:
    """Clicks the middle of some words; `first` is sent in the same write."""
    for row, line in enumerate(app.text.splitlines(), 1):
        if words in line:
            column = line.index(words) + 1 + len(words) // 2
            app.child.send(f"{first}\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m")
            return
    raise AssertionError(f"never saw {words} on:\n{app.text}")


def test_typing_while_requests_arrive_does_not_decide(agent: Agent, person: Terminal) -> None:
    """Acceptance 1: twenty keys a second, while five requests arrive, approve and deny nothing."""
    _ask(agent, person)
    with window(person) as app:
        for number in range(5):
            _ask(agent, person, payee=f"Payee {number}", minor=100 + number)
            for key in ("y", "e", "s", " ", "a", " ", "y\r", " ", "1", " ", "2"):
                app.child.send(key)
                app.wait_idle(_KEY_INTERVAL_SECONDS)
        app.wait_idle(1)
    assert len(person.waiting()) == 6


def test_the_click_that_focuses_the_window_does_not_press_a_button(
    agent: Agent, person: Terminal
) -> None:
    """Acceptance 2: the click that brings back the focus does nothing; a second click approves."""
    handle = _ask(agent, person)
    with window(person) as app:
        app.press("a")
        app.wait_for_text("Approve?", "[ Approve")
        app.press("\x1b[6~", "\t", PIN)
        app.wait_for_text("Tab to Approve, then Enter.")
        app.child.send(FOCUS_OUT)
        app.wait_idle(0.5)
        _click(app, "[ Approve", first=FOCUS_IN)
        app.wait_idle(2)
        assert "Approve?" in app.text
        assert len(person.waiting()) == 1
        _click(app, "[ Approve")
        app.wait_for_text("Approved by")
    assert agent.poll(handle, prefer="wait=5").status_code == 200


def test_a_command_typed_after_refocusing_does_not_approve(agent: Agent, person: Terminal) -> None:
    """A user who has entered everything, leaves, returns and types `ls -la` approves nothing."""
    _ask(agent, person)
    with window(person) as app:
        _about_to_confirm(app)
        app.child.send(FOCUS_OUT)
        app.wait_for_text("> Back <")
        app.child.send(FOCUS_IN)
        app.wait_idle(1)
        for key in ("l", "s", " ", "-", "l", "a\r"):  # never 0.8 s apart
            app.child.send(key)
            app.wait_idle(_KEY_INTERVAL_SECONDS)
        app.wait_idle(2)
        assert "Approve?" in app.text
    assert len(person.waiting()) == 1


@pytest.mark.parametrize("size", [(100, 30), (40, 24)])
def test_a_superseded_request_closes_the_approval_panel(
    agent: Agent, person: Terminal, size: tuple[int, int]
) -> None:
    """Acceptance 3: the panel closes if the agent changes a cent while the user is confirming."""
    handle = _ask(agent, person)
    with window(person, size=size) as app:
        _about_to_confirm(app)
        newer = _ask(agent, person, minor=482_001, supersedes=handle)
        app.wait_for_text("This request changed. Nothing was", "approved.")
        app.press("\r", PIN, "\t", "\r")
        app.wait_idle(1)
    _only_the_changed_request_is_pending(agent, person, handle, newer)


def test_an_approval_sent_while_its_request_is_superseded_approves_neither(
    agent: Agent, person: Terminal
) -> None:
    """Acceptance 3: the server refuses an approval that was sent before the app saw the change."""
    handle = _ask(agent, person)
    with window(person) as app:
        _about_to_confirm(app)
        app.wait_idle(1)
        app.suspend()
        newer = _ask(agent, person, minor=482_001, supersedes=handle)
        app.child.send("\r")
        app.go_on()
        app.wait_for_text("EUR 4,820.01", "LIVE")
        app.wait_until_gone("Approve?")
    _only_the_changed_request_is_pending(agent, person, handle, newer)


def _about_to_confirm(app: Window) -> None:
    """Reads and types everything, so that Enter would approve."""
    app.press("a")
    app.wait_for_text("Approve?", "[ Approve")
    app.press("\x1b[6~\x1b[6~", "\t", PIN, "\t")
    app.wait_for_text("Tab to Approve, then Enter.")


def _only_the_changed_request_is_pending(
    agent: Agent, person: Terminal, handle: str, newer: str
) -> None:
    assert "EUR 4,820.01" in person.only_request().headline
    assert agent.poll(handle).json()["reason"] == "superseded"
    assert agent.poll(newer).json()["error"] in {"authorization_pending", "slow_down"}


def test_a_request_denied_in_one_terminal_is_decided_in_the_other(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Acceptance 4: the other terminal shows the denial within 10 s and cannot approve any more."""
    services = server.services
    users = Users(services.store, services.secrets)
    _, issued = users.enroll(person.user, by=BY)
    desktop = terminal(server, person.user, issued.code, name="desktop")
    _ask(agent, person)
    with window(person) as first_app, window(desktop) as second_app:
        second_app.wait_for_text("HIGH RISK")
        first_app.press("d")
        first_app.wait_for_text("Deny?")
        first_app.press("2", "\r")
        first_app.wait_for_text("Denying in")
        _show(first_app, "Denied by", while_read=second_app)
        denied_at = time.monotonic()
        while "Denied by" not in second_app.text:
            assert time.monotonic() - denied_at < 10, second_app.text
        second_app.press("a")
        second_app.wait_for_text("Approve unavailable:")


def _show(app: Window, words: str, while_read: Window) -> None:
    """Waits for these words and reads the other terminal's output at the same time."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while words not in app.text:
        while_read.read()
        assert time.monotonic() < ends, f"never saw {words} on:\n{app.text}"


@pytest.mark.parametrize("size", [(100, 30), (40, 24)])
def test_hostile_text_is_inert_in_a_real_terminal(
    agent: Agent, person: Terminal, size: tuple[int, int]
) -> None:
    """Acceptance 5: hostile text sets no title, is not reversed, and does not move the amount."""
    _ask(agent, person, payee=HOSTILE)
    with window(person, size=size) as app:
        app.press("\r")
        app.wait_for_text("EUR 4,820.00", "\\u{1b}]0;owned")
        assert "owned" not in app.screen.title
        assert "\u202e" not in app.text
        _click(app, "[@click")
        app.wait_idle(1)
        app.wait_for_text("EUR 4,820.00", "LIVE")


@pytest.mark.parametrize("size", [(100, 30), (40, 24)])
def test_five_kilobytes_of_hostile_text_leave_the_headline_unchanged(
    server: LiveServer, agent: Agent, person: Terminal, size: tuple[int, int]
) -> None:
    """Acceptance 5: five kilobytes of hostile text do not move or hide the amount and the payee."""
    ActionTypes(server.services.store).update(json.dumps(WITH_REFERENCE), by=BY)
    details = json.dumps([{**PAYMENT_DETAILS[0], "reference": FIVE_KILOBYTES}])
    agent.request_approval(person.user, scope=SCOPE, authorization_details=details)
    assert person.only_request().headline == HEADLINE
    with window(person, size=size) as app:
        app.press("\r")
        until(lambda: _detail(app, size).count(f"{HEADLINE} ") == 1, PATIENCE_SECONDS)
        app.wait_for_text("\\u{1b}]0;owned", "more below")
        app.press("G")
        app.wait_for_text("Fingerprint", "LIVE")
        app.press("a")
        app.wait_for_text("Approve?", "EUR 4,820.00")
        assert "owned" not in app.screen.title
        assert "\u202e" not in app.text


def _detail(app: Window, size: tuple[int, int]) -> str:
    """Returns the details of a request as one line. A wide terminal shows them next to the list."""
    begins = 41 if size[0] == 100 else 0
    return " ".join(" ".join(row[begins:] for row in app.text.splitlines()).split())


def test_a_dumb_terminal_shows_everything_as_lines(agent: Agent, person: Terminal) -> None:
    """Acceptance 13: with TERM=dumb every fact is printed, without a control sequence."""
    _ask(agent, person, binding_message="Invoice 4711")
    app = Window(person, TERM="dumb", SAYSO_APPROVER_THEME="sayso", NO_COLOR="1")
    try:
        output = _output_until(app, "help or quit:")
        app.child.send("1\n")
        output += _output_until(app, "help or quit:")
        _assert_in_order(
            output[output.index("Request 1.") :], *FACTS, person.only_request().fingerprint
        )
        assert "\x1b" not in output
    finally:
        app.leave()


def _assert_in_order(text: str, *words: str) -> None:
    position = 0
    for word in words:
        assert word in text[position:], f"{word} is not where it belongs in:\n{text}"
        position = text.index(word, position) + len(word)


def _output_until(app: Window, until: str) -> str:
    """Returns everything written up to these words."""
    app.child.expect(until, timeout=PATIENCE_SECONDS)
    return bytes(app.child.before + app.child.after).decode()
