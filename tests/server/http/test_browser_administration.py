"""Administration from a browser: the cookie removes power, and the passkey adds it."""

import pytest

from server.http import cookies
from server.services.users.users import UserChanges
from tests.support.builders.admins import AdminSite
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY
from tests.support.builders.passkey import PRESENT, LocalBrowser, enrollment_code, new_browser


@pytest.fixture
def browser(staff: AdminSite) -> LocalBrowser:
    """An administrator whose only device is a passkey."""
    admin_browser = new_browser(staff.local)
    staff.local.admin.users.update("eva", UserChanges(roles=("admin",)), by=BY)
    return admin_browser


@pytest.fixture
def enabling(staff: AdminSite) -> str:
    """The path that enables the disabled agent."""
    return f"/api/agents/{staff.ids['disabled agent']}/enable"


def test_a_signed_in_administrator_can_read_and_remove_power(
    staff: AdminSite, browser: LocalBrowser
) -> None:
    """The cookie and the CSRF token are enough."""
    agent = staff.ids["agent"]
    assert browser.send("GET", f"/api/agents/{agent}").json["name"] == "one"
    assert browser.send("POST", f"/api/agents/{agent}/disable").json["state"] == "disabled"


def test_adding_power_requires_the_passkey(browser: LocalBrowser, enabling: str) -> None:
    """If only the cookie is sent, the answer says what the passkey must sign."""
    assert browser.send("POST", enabling).refusal == (403, "statement_required")
    assert browser.administer("POST", enabling).json["state"] == "enabled"


def test_a_passkey_without_user_verification_cannot_add_power(
    browser: LocalBrowser, enabling: str
) -> None:
    """A touch without a PIN or biometrics is not enough."""
    browser.passkey.flags = PRESENT
    assert browser.administer("POST", enabling).refusal == (422, "invalid_statement")


@pytest.mark.parametrize(
    "sent_headers",
    [{"subject": "A" * 43}, {"purpose": "pin"}, {"nonce": "another"}],
    ids=lambda sent_headers: [*sent_headers],
)
def test_a_statement_about_anything_else_cannot_add_power(
    browser: LocalBrowser, enabling: str, sent_headers: dict[str, str]
) -> None:
    """A statement for a different request, purpose or nonce is invalid."""
    assert browser.administer("POST", enabling, **sent_headers).refusal == (
        422,
        "invalid_statement",
    )


def test_a_signature_without_a_statement_cannot_add_power(
    browser: LocalBrowser, enabling: str
) -> None:
    """A signature made for signing in cannot be reused."""
    offer = browser.send("POST", "/api/passkeys/offer").json["text"]
    assertion = browser.passkey.assertion(offer.encode())
    answer = browser.send("POST", enabling, headers={"sayso-statement": assertion})
    assert answer.refusal == (422, "invalid_statement")


def test_a_statement_is_accepted_once(
    browser: LocalBrowser, staff: AdminSite, enabling: str
) -> None:
    """A statement that is replayed after the agent was disabled again is invalid."""
    wanted = browser.send("POST", enabling).json["wanted"]
    statement = browser.statement(**wanted)
    signed = {"sayso-statement": statement}
    assert browser.send("POST", enabling, headers=signed).status == 200
    staff.local.admin.agents.disable("two", by=BY)
    assert browser.send("POST", enabling, headers=signed).refusal == (422, "invalid_statement")


def test_a_second_passkey_cannot_add_power_for_a_day(
    browser: LocalBrowser, staff: AdminSite, enabling: str
) -> None:
    """An enrollment code must not bypass the first passkey; high risk has the same rule."""
    browser.passkey.credential = b"another"
    assert browser.enroll(enrollment_code(staff.local, "eva")).status == 201
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
def test_requests_from_other_sites_are_refused(
    staff: AdminSite, browser: LocalBrowser, headers: dict[str, str | None]
) -> None:
    """Requests from other sites are refused even if the browser is signed in."""
    path = f"/api/agents/{staff.ids['agent']}/disable"
    assert browser.send("POST", path, headers=headers).status == 403
    assert staff.local.admin.agents.show("one")[0].state == "enabled"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_without_its_cookie_asks_for_the_passkey(
    staff: AdminSite, browser: LocalBrowser, method: str
) -> None:
    """Signing out in another tab deletes the cookie. Access tokens are not for people."""
    token = staff.local.site.devices.browsers.csrf(browser.cookie)
    browser.cookie = ""
    path = f"/api/agents/{staff.ids['agent']}/disable" if method == "POST" else "/api/users"
    answer = browser.send(method, path, headers={cookies.CSRF.lower(): token})
    assert answer.refusal == (401, "signed_out")
    assert answer.json["detail"] == "Sign in with your passkey."


def test_a_user_without_a_role_cannot_administer(staff: AdminSite) -> None:
    """A signed-in user without a role gets 403."""
    browser = new_browser(staff.local)
    assert browser.send("GET", "/api/users").refusal == (403, "forbidden")
