"""Screens of the terminal app in a real terminal with a real server."""

import json
import re
from typing import Any

import pytest

from approver_tui.client.errors import WrongPin
from server.services.policy.action_types import ActionTypes
from tests.support.builders.installation import PAYMENT
from tests.support.checks.waiting import until
from tests.support.clients.agent import PAYMENT_DETAILS, Agent, new_agent
from tests.support.clients.pty_app import COLUMNS, LINES, PATIENCE_SECONDS, Window, window
from tests.support.clients.terminal import PIN, Terminal
from tests.support.servers.server import BY, LiveServer

SIZES = [(100, 30), (80, 24), (60, 20), (40, 24), (45, 20), (40, 12)]
WIDE_FROM = 78
"""The number of columns from which a request is shown next to the list."""
LIST_WIDTH = 39
"""The list takes two fifths of the columns, but at least this many."""
BOTH = "openid payments:read payments:transfer"


@pytest.fixture(autouse=True)
def narrowable(server: LiveServer) -> None:
    """Allows the amount of a payment to be narrowed."""
    document = json.dumps({**PAYMENT, "narrow": {"/amount": "lower"}})
    ActionTypes(server.services.store).update(document, by=BY)


def _ask_payment(agent: Agent, person: Terminal) -> str:
    details = json.dumps(PAYMENT_DETAILS)
    return agent.request_approval(person.user, scope=BOTH, authorization_details=details)


def _approve(app: Window) -> None:
    """Approves in the approval panel: scrolls, types the PIN and presses the button."""
    app.wait_for_text("Approve?")
    app.press("\x1b[6~\x1b[6~", "\t", PIN)
    app.wait_for_text("Tab to Approve, then Enter.")
    app.press("\t", "\r")


def test_a_request_is_narrowed_on_the_screen(agent: Agent, person: Terminal) -> None:
    """The agent gets the smaller amount and one scope less, and the history shows it."""
    handle = _ask_payment(agent, person)
    with window(person) as app:
        app.press("e")
        app.wait_for_text("With limits?", "EUR 4,820.00", "payments:read")
        app.press("\t", "500", "\t", " ")
        app.wait_for_text("EUR 500.00", "(not granted)")
        app.press("\t\t\t", "\r")
        app.wait_for_text("do part of this once", "WITH LIMITS")
        _approve(app)
        app.wait_for_text("Approved by")
        reply = agent.poll(handle, prefer="wait=5").json()
        app.press("3")
        app.wait_for_text("[3 Agents]", "1 token")
        app.press("2")
        app.wait_for_text("[2 History]", "WITH LIMITS")
    assert reply["narrowed"] is True
    assert reply["scope"] == "openid payments:transfer"
    assert reply["authorization_details"][0]["amount"]["minor"] == 50_000


def test_access_of_an_agent_is_revoked_on_the_screen(agent: Agent, person: Terminal) -> None:
    """The agent's token is revoked immediately."""
    handle = _ask_payment(agent, person)
    person.approve(person.only_request())
    token = agent.poll(handle, prefer="wait=5").json()["access_token"]
    with window(person) as app:
        app.press("3")
        app.wait_for_text("ACTING FOR YOU (1)")
        app.press("z")
        app.wait_for_text("Revoke access of", "> Back <")
        app.press("\t", "\r")
        app.wait_for_text("consents and tokens have ended", "No agent acts for you.")
    active = agent.http.post("/introspect", data={"token": token}, auth=agent.key.basic).json()
    assert active == {"active": False}


def test_a_report_on_the_screen_quarantines_the_agent(agent: Agent, person: Terminal) -> None:
    """The next request of the reported agent is refused."""
    handle = _ask_payment(agent, person)
    with window(person) as app:
        app.press("!")
        app.wait_for_text("Report?", "Every agent acting for me")
        app.press("2")
        app.wait_for_text("This agent is quarantined for all users.")
        app.press("\t", "\t", "\r")
        app.wait_for_text("is quarantined", "Reported: sayso_ic_")
    assert agent.poll(handle).status_code == 400
    refused = agent.ask_payment(person.user)
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")


def test_an_owner_suspends_an_agent_on_the_screen(server: LiveServer, person: Terminal) -> None:
    """The next request of the suspended agent is refused with the reason."""
    agent = new_agent(server, owners=(person.user,))
    _ask_payment(agent, person)
    with window(person) as app:
        app.press("3")
        app.wait_for_text("ASKED RECENTLY (1)", "K Suspend..")
        app.press("K")
        app.wait_for_text("for all users?", "> Back <")
        app.press("\t", "\r")
        app.wait_for_text("disabled")
    refused = agent.ask_payment(person.user)
    agent.http.close()
    assert (refused.status_code, refused.json()["reason"]) == (400, "agent_disabled")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_essential_facts_are_reachable_at_every_size(
    agent: Agent, person: Terminal, size: tuple[int, int]
) -> None:
    """Amount, payee, expiry, Deny, Help and Back are shown or one key away, and never cut."""
    _ask_payment(agent, person)
    with window(person, size=size) as app:
        app.wait_for_text("HIGH", "Pay EUR 4,820.00", "d Deny", "? Help", "q Quit")
        app.press("\r")
        app.wait_for_text("Amount", "Payee", "d Deny", "? Help", "Esc Back")
        until(lambda: _is_complete(app.text, size), PATIENCE_SECONDS)
        app.press("G")
        app.wait_for_text("Expires", "Expiring", "Fingerprint", "d Deny", "? Help", "Esc Back")
        app.press("e")
        app.wait_for_text("Esc Back", "[ Continue.. ]")
        app.press("\x1b")
        app.wait_for_text("d Deny")
        app.press("2")
        app.wait_for_text("HISTORY (0)", "Esc Back")


def _is_complete(text: str, size: tuple[int, int]) -> bool:
    """Returns whether amount, payee and remaining time are shown and nothing is cut."""
    begins = max(LIST_WIDTH, size[0] * 2 // 5) + 1 if size[0] >= WIDE_FROM else 0
    facts = " ".join(" ".join(row[begins:] for row in text.splitlines()).split())
    return (
        "Pay EUR 4,820.00 to Nordwind Logistik GmbH" in facts
        and "Amount EUR 4,820.00 Payee Nordwind Logistik GmbH" in facts
        and re.search(r"\b\d:\d\d\b", text) is not None
        and "\N{HORIZONTAL ELLIPSIS}" not in facts
    )


def test_warnings_leave_room_for_the_request_in_the_smallest_terminal(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """On a machine that also runs the server, two permanent warnings use one row of twelve."""
    _ask_payment(agent, person)
    with pytest.raises(WrongPin):
        person.approve(person.only_request(), pin="not-sesame-12")
    variables = {"SAYSO_DATA_DIR": str(server.folder / "data")}
    with window(person, size=(40, 12), **variables) as app:
        app.wait_for_text("! 1 wrong PIN +1: ?", ">!! HIGH", "Pay EUR 4,820.00", "d Deny", "q Quit")
        app.press("\r")
        app.wait_for_text("Pay EUR 4,820.00", "more below", "d Deny", "Esc Back")
        until(lambda: _empty_rows(app) <= 2, PATIENCE_SECONDS)
        app.press("?")
        app.wait_for_text("can read the server")


def _empty_rows(app: Window) -> int:
    return sum(not row.strip() for row in app.text.splitlines())


def test_a_revoked_device_shows_a_message_and_offers_to_sign_in(
    agent: Agent, person: Terminal
) -> None:
    """The app does not try to reconnect, and its message stays."""
    _ask_payment(agent, person)
    with window(person) as app:
        app.wait_for_text("Pay EUR 4,820.00")
        person.client.revoke_device("self")
        app.wait_for_text("SIGNED OUT", "Press Enter to sign in again")
        app.wait_until_gone("trying again")
        app.press("a")
        app.wait_for_text("Approve unavailable: this device was signed out.")
        app.press("\r")
        app.wait_for_text("SAYSO  sign in", "This device was signed out.")


@pytest.mark.parametrize(
    "environment",
    [
        {"NO_COLOR": "1"},
        {"SAYSO_APPROVER_THEME": "ansi-dark"},
        *({"TERM": term} for term in ("xterm-16color", "linux", "vt100")),
        {"LC_ALL": "C"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=lambda environment: "=".join(*environment.items()),
)
def test_nothing_is_conveyed_by_color_alone(
    agent: Agent, person: Terminal, environment: dict[str, str]
) -> None:
    """Risk, cursor, disabled actions and focus are shown in words or signs; denying works."""
    handle = _ask_payment(agent, person)
    is_colored = "NO_COLOR" not in environment
    started = not environment.keys().isdisjoint({"LC_ALL", "PYTHONIOENCODING"})
    with window(person, size=(COLUMNS, LINES), started=started, **environment) as app:
        app.wait_for_text(">!! HIGH", "HIGH RISK", "[1 Inbox 1]")
        assert bool(_colors(app)) is is_colored
        app.press("a")
        app.wait_for_text("> Back <", "Approve unavailable:")
        assert bool(_colors(app)) is is_colored
        app.press("\x1b", "d")
        app.wait_for_text("Deny?")
        app.press("1", "\r")
        app.wait_for_text("Denying in")  # and the denial is sent when the app ends
    assert agent.poll(handle, prefer="wait=9").json()["error"] == "access_denied"


@pytest.mark.parametrize("term", ["xterm", "screen", "linux"])
def test_high_risk_has_its_color_among_sixteen(agent: Agent, person: Terminal, term: str) -> None:
    """The color closest to a soft amber would be the gray that everything else has."""
    _ask_payment(agent, person)
    with window(person, TERM=term) as app:
        app.wait_for_text(">!! HIGH")
        row = next(y for y, line in enumerate(app.screen.display) if ">!! HIGH" in line)
        start = app.screen.display[row].index("HIGH")
        assert {app.screen.buffer[row][start + x].fg for x in range(4)} == {"brightbrown"}


def test_without_colors_fields_are_visible(agent: Agent, person: Terminal) -> None:
    """A terminal without colors shows fields underlined."""
    _ask_payment(agent, person)
    with window(person, NO_COLOR="1") as app:
        app.press("/")
        until(lambda: app.text and any(cell.underscore for cell in _cells(app)))


def _cells(app: Window) -> list[Any]:
    return [cell for row in app.screen.buffer.values() for cell in row.values()]


def _colors(app: Window) -> set[str]:
    """Returns the colors on the screen other than the terminal's two defaults."""
    return {shade for cell in _cells(app) for shade in (cell.fg, cell.bg)} - {"default"}


def test_the_first_sign_in_ends_in_the_inbox(server: LiveServer) -> None:
    """The inbox appears when the user has typed the address, the code and the PIN twice."""
    user, code = server.user()
    home = server.folder / f"first-{user}"
    new_user = Terminal(user, None, None, home)  # type: ignore[arg-type]  # not yet enrolled
    app = Window(new_user)
    try:
        app.wait_for_text("SAYSO  sign in", "You are not logged in on this machine.")
        app.press("\x15")  # ctrl+u clears the default address
        app.press(server.url, "\t", "2", "\t", code, "\t", "\t", PIN, "\t", PIN, "\t", "\r")
        app.wait_for_text("LIVE", "No requests are waiting for you.")
    finally:
        app.leave()
