"""Administration from a browser: by its cookie, and by its passkey where it gives power."""

import pytest

from server.http import cookies
from server.services.users.users import UserChanges
from tests.support.builders.admins import Staff
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY
from tests.support.builders.passkey import PRESENT, LocalBrowser, code_for, new_browser


@pytest.fixture
def browser(staff: Staff) -> LocalBrowser:
    """An administrator whose only device is a passkey."""
    made = new_browser(staff.local)
    staff.local.desk.users.update("eva", UserChanges(roles=("admin",)), by=BY)
    return made


@pytest.fixture
def enabling(staff: Staff) -> str:
    """The path that lets the stopped agent go on."""
    return f"/api/agents/{staff.ids['stopped agent']}/enable"


def test_a_signed_in_administrator_reads_and_removes_power(
    staff: Staff, browser: LocalBrowser
) -> None:
    """With the cookie, and what only a page of ours knows."""
    agent = staff.ids["agent"]
    assert browser.send("GET", f"/api/agents/{agent}").json["name"] == "one"
    assert browser.send("POST", f"/api/agents/{agent}/disable").json["state"] == "disabled"


def test_what_adds_power_takes_the_passkey(browser: LocalBrowser, enabling: str) -> None:
    """Whoever has the cookie alone is told what a passkey would have to sign."""
    assert browser.send("POST", enabling).refusal == (403, "statement_required")
    assert browser.administer("POST", enabling).json["state"] == "enabled"


def test_a_passkey_that_does_not_know_its_person_adds_no_power(
    browser: LocalBrowser, enabling: str
) -> None:
    """That somebody touched it is not enough."""
    browser.passkey.flags = PRESENT
    assert browser.administer("POST", enabling).refusal == (422, "invalid_statement")


@pytest.mark.parametrize(
    "said",
    [{"subject": "A" * 43}, {"purpose": "pin"}, {"nonce": "another"}],
    ids=lambda said: [*said],
)
def test_a_word_about_anything_else_adds_no_power(
    browser: LocalBrowser, enabling: str, said: dict[str, str]
) -> None:
    """Another request, another purpose, another moment."""
    assert browser.administer("POST", enabling, **said).refusal == (422, "invalid_statement")


def test_a_word_that_is_no_statement_adds_no_power(browser: LocalBrowser, enabling: str) -> None:
    """What the passkey signed to sign in is one of those."""
    offer = browser.send("POST", "/api/passkeys/offer").json["text"]
    word = browser.passkey.word(offer.encode())
    answer = browser.send("POST", enabling, headers={"sayso-statement": word})
    assert answer.refusal == (422, "invalid_statement")


def test_a_word_counts_once(browser: LocalBrowser, staff: Staff, enabling: str) -> None:
    """Sent again after somebody stopped the agent again, it does nothing."""
    wanted = browser.send("POST", enabling).json["wanted"]
    word = browser.statement(**wanted)
    signed = {"sayso-statement": word}
    assert browser.send("POST", enabling, headers=signed).status == 200
    staff.local.desk.agents.disable("two", by=BY)
    assert browser.send("POST", enabling, headers=signed).refusal == (422, "invalid_statement")


def test_a_second_passkey_waits_a_day_before_it_adds_power(
    browser: LocalBrowser, staff: Staff, enabling: str
) -> None:
    """As before high risk: an administrator's code must not be a way around the first."""
    browser.passkey.credential = b"another"
    assert browser.enrol(code_for(staff.local, "eva")).status == 201
    assert browser.administer("POST", enabling).refusal == (403, "device_too_new")
    staff.local.clock.forward(DAY)
    assert browser.administer("POST", enabling).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {cookies.CSRF.lower(): None},
        {cookies.CSRF.lower(): "of another browser"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
    ],
    ids=["no token", "wrong token", "foreign origin", "another site"],
)
def test_what_no_page_of_ours_sent_changes_nothing(
    staff: Staff, browser: LocalBrowser, headers: dict[str, str | None]
) -> None:
    """However well the browser is signed in."""
    path = f"/api/agents/{staff.ids['agent']}/disable"
    assert browser.send("POST", path, headers=headers).status == 403
    assert staff.local.desk.agents.show("one")[0].state == "enabled"


def test_a_user_without_a_role_administers_nothing(staff: Staff) -> None:
    """Nor does their browser."""
    browser = new_browser(staff.local)
    assert browser.send("GET", "/api/users").refusal == (403, "forbidden")
