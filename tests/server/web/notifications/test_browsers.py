"""The device page: the browsers that receive push notifications."""

import pytest

from server.http import cookies
from server.services.notifications.pushes import DORMANT_MS
from tests.support.builders.clock import DAY
from tests.support.builders.passkey import new_browser
from tests.support.builders.site import ISSUER
from tests.support.fakes.push_service import answer, push_service

PATH = "/api/push-subscriptions"
LOST = "Notifications stopped in a browser of"
DORMANT = "Sayso has not been opened there for two weeks"


@pytest.fixture
def service():
    """A push service that accepts valid messages."""
    with push_service() as running:
        yield running


@pytest.fixture
def local(open_local, service):
    """A server that may call this push service."""
    return open_local(push_origins=service.origin)


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


@pytest.fixture
def subscription(browser, service):
    """The push subscription of Eva's browser."""
    new_subscription = service.mint(browser.send("GET", PATH).json["public_key"])
    assert browser.send("POST", PATH, new_subscription.to_json()).status == 200
    return new_subscription


def _page(browser, path="/devices"):
    client = browser.local.app.test_client()
    client.set_cookie(cookies.name(browser.local.server_policy), browser.cookie)
    return client.get(path, base_url=ISSUER).text


@pytest.mark.usefixtures("subscription")
def test_a_subscribed_browser_is_listed_with_its_push_service(browser, service):
    """The page names the push service. Before the first delivery, it says that there was none."""
    page = _page(browser)
    assert f"127.0.0.1:{service.port}" in page
    assert "never delivered" in page
    assert DORMANT not in page


def test_a_browser_unused_for_two_weeks_is_warned_about(local, browser, service, subscription):
    """The page warns until it is opened in that browser again; one push message is sent."""
    local.clock.forward(DORMANT_MS - DAY)
    browser.sign_in()
    local.services.sweeper.tidy()
    assert DORMANT not in _page(browser)
    local.clock.forward(DAY + 1)
    browser.sign_in()
    for _ in range(2):
        local.services.sweeper.tidy()
        local.deliver()
    assert [message["kind"] for message in service.messages()][-1:] == ["dormant"]
    assert DORMANT in _page(browser)
    browser.send("POST", PATH, subscription.to_json())
    assert DORMANT not in _page(browser)


@pytest.mark.usefixtures("subscription")
@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_dropped_by_its_push_service_is_reported_as_lost(
    local, browser, agent, service, status
):
    """The inbox and the device page say so, and the device page offers the remedy."""
    assert "data-push-test" in _page(browser)
    assert LOST not in _page(browser, "/")
    service.behavior = answer(status)
    agent.request_payment(login_hint="eva")
    local.deliver()
    page = _page(browser)
    assert "data-push-test" not in page
    assert "dropped this browser" in page
    assert 'id="push-on"' in page
    assert LOST in _page(browser, "/")
    (lost,) = browser.send("GET", PATH).json["lost"]
    assert browser.send("DELETE", f"{PATH}/{lost['id']}").status == 204
    assert "dropped this browser" not in _page(browser)
    assert LOST not in _page(browser, "/")


def test_a_browser_with_a_new_subscription_is_not_reported_as_lost(
    local, browser, agent, service, subscription
):
    """If the old endpoint is gone but the new one works, the browser is not lost."""
    local.clock.forward(1)
    replacement = service.mint(browser.send("GET", PATH).json["public_key"])
    replacement_id = browser.send("POST", PATH, replacement.to_json()).json["id"]
    del service.known[subscription.endpoint.rpartition("/")[2]]
    agent.request_payment(login_hint="eva")
    local.deliver()
    reply = browser.send("GET", PATH).json
    assert ([item["id"] for item in reply["items"]], reply["lost"]) == ([replacement_id], [])
    assert LOST not in _page(browser, "/")


def test_one_browser_can_be_lost_while_another_with_the_same_passkey_is_not(
    local, browser, agent, service, subscription
):
    """Passkeys are synced, so an older subscription may belong to a different browser."""
    other = service.mint(browser.send("GET", PATH).json["public_key"])
    browser.send("POST", PATH, other.to_json())
    local.clock.forward(1)
    browser.send("POST", PATH, subscription.to_json())
    del service.known[subscription.endpoint.rpartition("/")[2]]
    agent.request_payment(login_hint="eva")
    local.deliver()
    reply = browser.send("GET", PATH).json
    assert (len(reply["items"]), len(reply["lost"])) == (1, 1)


@pytest.mark.usefixtures("subscription")
def test_a_refused_push_is_shown_with_its_status(local, browser, agent, service):
    """The browser stays subscribed, because the refusal may be the server's fault."""
    service.behavior = answer(403)
    agent.request_payment(login_hint="eva")
    local.deliver()
    assert "rejects messages from Sayso: status 403" in _page(browser)
