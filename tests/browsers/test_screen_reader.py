"""Approving by keyboard and screen reader: `docs/screen-reader.md` and Chromium's tree."""

import re
from collections.abc import Iterator
from itertools import groupby, zip_longest

import pytest

from server.protocol.policy.risks import Risk
from server.services.policy import builtin_action_types
from server.services.policy.action_types import ActionTypes
from tests.support.browsers.accessibility_tree import Heard, heard
from tests.support.browsers.chromium import Chromium, PageGone
from tests.support.browsers.first_sign_in import enroll
from tests.support.checks.log_and_rows import waiting
from tests.support.checks.source import ROOT
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent, new_agent
from tests.support.pictures.page_pictures import PAYMENT_DETAILS
from tests.support.servers.server import BY, LiveServer

SCRIPT = ROOT / "docs" / "screen-reader.md"
_UNRECOGNIZED = ", unrecognized"
_SAYS_PREFIX = "says: "
_TYPES = "types "
_SECONDS = 60.0

Row = tuple[str, str]


@pytest.fixture(scope="module", autouse=True)
def shipped_payment(server: LiveServer) -> None:
    """Payments use the built-in action type."""
    ActionTypes(server.services.store).update(
        builtin_action_types.registrable("payment.transfer"), by=BY
    )


def test_the_screen_reader_script_matches_the_accessibility_tree(
    server: LiveServer, tab: Chromium
) -> None:
    """Every key, focus, announcement and line in reading order matches, without a mouse."""
    name, code = server.user("ana")
    agent = new_agent(server, name="invoice-bot")
    agent.ask_payment(
        name, binding_message="For invoice 4711", authorization_details=PAYMENT_DETAILS
    )
    _sign_in(server, tab, code)
    kinds = {"key": _press, "what": _read}
    checked = [kinds[head](tab, rows) for head, rows in _tables() if head in kinds]
    assert sum(checked) > 70
    assert tab.text(".outcome").startswith("Approved by ana")
    (only,) = until(lambda: tab.ask("1") and tab.complaints(), _SECONDS)
    assert "status of 422" in only  # of what was typed wrong
    tab.events.clear()


def test_each_field_of_a_critical_approval_states_its_content(
    server: LiveServer, tab: Chromium
) -> None:
    """Tab leads from the heading of the step through all fields, in the order of the script."""
    name, code = server.user()
    uri = "https://critical.example"
    server.resources.add(uri, {"pay:all": Risk.CRITICAL}, {}, by=BY)
    agent = new_agent(
        server, owners=(server.user()[0],), interactive=True, resources=(uri,), scopes=("pay:all",)
    )
    acknowledgement = agent.ask(
        name, resource=uri, scope="openid pay:all", authorization_details=PAYMENT_DETAILS
    )
    assert acknowledgement.status_code == 200, acknowledgement.text
    _sign_in(server, tab, code)
    tab.open(f"{server.url}/r/{waiting(server, name)[0].id}")
    tab.click("#to-approve")
    _until(tab, "says: Pay EUR 4,820.00 is available.")
    ((_, rows),) = (table for table in _tables() if table[0] == "field")
    assert _press(tab, rows) == 5


def test_a_new_request_in_the_inbox_is_announced(
    server: LiveServer, tab: Chromium, agent: Agent
) -> None:
    """The announcement is polite and does not move the focus; the new card is at the end."""
    name, code = server.user()
    _sign_in(server, tab, code)
    assert heard(tab).announcements() == []
    agent.request_approval(name)
    now = until(lambda: _announced(tab, "1 new request."), _SECONDS)
    assert [line for line in now.main() if agent.key.name in line]


def _sign_in(server: LiveServer, tab: Chromium, code: str) -> None:
    """Sign in on a desktop and open the inbox."""
    tab.look(width=1440)
    enroll(tab, server, code)
    tab.tell("Accessibility.enable")


def _tables() -> Iterator[tuple[str, list[Row]]]:
    """Yield the tables of the script in order, as the head of the first column and the rows."""
    lines = SCRIPT.read_text("utf-8").splitlines()
    for is_table, block in groupby(lines, lambda line: line.startswith("|")):
        if is_table:
            (head, _), _, *rows = ([cell.strip() for cell in row.split("|")[1:-1]] for row in block)
            yield head.lower(), [(first, second) for first, second in rows]


def _press(tab: Chromium, rows: list[Row]) -> int:
    """Press the keys of each row, and wait for its announcement."""
    for key, words in rows:
        tab.verify(person=not key.endswith(_UNRECOGNIZED))
        if key.startswith(_TYPES):
            tab.tell("Input.insertText", text=key.removeprefix(_TYPES))
        elif key:
            tab.press(key.removesuffix(_UNRECOGNIZED))
        _until(tab, words)
    return len(rows)


def _until(tab: Chromium, words: str) -> None:
    announced = words.startswith(_SAYS_PREFIX)
    pattern = _pattern(words.removeprefix(_SAYS_PREFIX))
    last: list[str] = []

    def matches() -> bool:
        if (now := _spoken(tab)) is not None:
            last[:] = now.announcements() if announced else [now.focus()]
        return any(pattern.fullmatch(text) for text in last)

    try:
        until(matches, _SECONDS)
    except AssertionError as late:
        raise AssertionError(f"not {words!r} but {last}") from late


def _read(tab: Chromium, rows: list[Row]) -> int:
    """Check the lines of the main part, once the scripts have written its times."""
    expected = [f"{what}: {words}" for what, words in rows]
    wrong: list[tuple[str, str]] = []

    def matches() -> bool:
        now = _spoken(tab)
        pairs = zip_longest(expected, [] if now is None else now.main(), fillvalue="")
        wrong[:] = [
            (expected_line, line)
            for expected_line, line in pairs
            if not _pattern(expected_line).fullmatch(line)
        ]
        return not wrong

    try:
        until(matches, _SECONDS)
    except AssertionError as late:
        raise AssertionError(f"the script, and what is there: {wrong}") from late
    return len(rows)


def _spoken(tab: Chromium) -> Heard | None:
    """Return the accessibility tree, or None while one page replaces another."""
    try:
        return heard(tab)
    except (PageGone, KeyError):
        return None


def _announced(tab: Chromium, words: str) -> Heard | None:
    now = _spoken(tab)
    return now if now is not None and words in now.announcements() else None


def _pattern(words: str) -> re.Pattern[str]:
    """Return a pattern in which three dots match any text."""
    return re.compile(re.escape(words).replace("…", ".*"))
