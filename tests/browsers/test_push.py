"""Push notifications in real browsers, from subscribing to the agent's token.

Chromium and Firefox do the same: each subscribes to a push service on the loopback, decrypts what
the server sent, runs our service worker and shows a desktop notification; pressing it is what a
user does.
"""

import contextlib
import json
from collections.abc import Iterator

import pytest

from tests.support.browsers.live_pages import listening, says_soon
from tests.support.browsers.pushed_browsers import (
    ODD,
    TOLD_AGAIN,
    Called,
    called_chromium,
    called_firefox,
)
from tests.support.checks.log_and_rows import (
    entries,
    forget_push_key,
    last_delivery_at,
    stored_approval,
    subscriptions,
    waiting,
)
from tests.support.checks.waiting import until
from tests.support.fakes.fake_gcm import ORIGIN
from tests.support.fakes.push_service import PushService, push_service
from tests.support.servers.server import LiveServer, live_server

_TAGS = """navigator.serviceWorker.ready.then(there => there.getNotifications())
  .then(all => all.map(each => each.tag))"""
_UNSUBSCRIBE = """navigator.serviceWorker.ready
  .then(there => there.pushManager.getSubscription()).then(one => one.unsubscribe())"""
_LOST_BROWSERS = "fetch('/api/push-subscriptions').then(a => a.json()).then(said => said.lost)"
_BROWSERS = {"chromium": called_chromium, "firefox": called_firefox}


@pytest.fixture(scope="module")
def services() -> Iterator[dict[str, PushService]]:
    """The push service of each browser."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(push_service()) for name in _BROWSERS}


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, services: dict[str, PushService]
) -> Iterator[LiveServer]:
    """A server that reaches one push service under Chromium's name, the other as configured."""
    options = (f"--detour={ORIGIN}={services['chromium'].origin}",)
    folder, named = tmp_path_factory.mktemp("server"), services["firefox"].origin
    with live_server(folder, options=options, forked=True, push_origins=named) as running:
        yield running


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, server: LiveServer, services: dict[str, PushService]
) -> Iterator[dict[str, Called]]:
    """Both browsers at the same time."""
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(begin(server, services[name], tmp_path_factory.mktemp(name)))
            for name, begin in _BROWSERS.items()
        }


@pytest.fixture(scope="module", params=list(_BROWSERS))
def called(request: pytest.FixtureRequest, both: dict[str, Called]) -> Called:
    """The browser under test."""
    return both[request.param]


@pytest.fixture
def other_browser(called: Called, both: dict[str, Called]) -> Called:
    """The other of the two browsers."""
    return next(value for value in both.values() if value is not called)


@pytest.fixture
def user(called: Called) -> Iterator[str]:
    """A user who created a passkey in this browser and allowed notifications."""
    yield called.new_person()
    called.sign_out()


def test_a_push_leads_to_a_decision_and_a_token(called, user, agent):
    """No page is open: the user clicks the notification, reads the page and signs."""
    called.tab.open("about:blank")
    handle = agent.ask_payment(user, binding_message="Secret words").json()["auth_req_id"]
    notification = called.desktop.wait("Approval needed, high risk")
    assert "Expires at" in notification.body
    assert "Secret" not in notification.title + notification.body
    called.desktop.press(notification, "")
    page = called.tab.wait_for_tab("/r/")
    page.wait_for_text("Pay EUR 4,820.00 to Nordwind Logistik GmbH")
    page.click("#to-approve")
    page.click("#approve-now")
    page.wait_for_text("Approved by")
    page.close()
    assert agent.poll(handle).json()["token_type"] == "Bearer"


def test_every_push_shows_a_notification_even_with_a_page_in_front(
    server: LiveServer, called: Called, user: str
):
    """Acceptance 14: malformed pushes show one too. The list shows when a test push arrived."""
    called.tab.front()
    called.tab.open(f"{server.url}/")
    assert called.tab.see("document.hasFocus()")
    # Chromium drops empty messages
    for data in (message for message in ODD if message or called.autopush):
        called.desktop.shown.clear()
        called.push(data)
        called.desktop.wait("Approval needed")
    called.tab.open(f"{server.url}/devices")
    called.tab.click("[data-push-test]")
    called.tab.wait_for_text("Test notification sent")
    called.desktop.wait("Notifications work here")
    until(lambda: last_delivery_at(server, user), 30)
    called.tab.open(f"{server.url}/devices")
    assert "last reached never" not in called.tab.text("#notifications")


def test_deny_on_the_desktop_opens_the_denial_and_decides_nothing(server, called, user, agent):
    """Anyone can press a button on a locked phone, so only the passkey denies."""
    called.tab.open("about:blank")
    handle = agent.request_approval(user)
    called.desktop.press(called.desktop.wait("Approval needed"), "Deny…")
    page = called.tab.wait_for_tab("#deny")
    page.wait_for_text("Deny this request")
    assert len(waiting(server, user)) == 1
    page.click("#no button[type=submit]")
    page.wait_for_text("Denied by")
    page.close()
    assert agent.poll(handle).json()["error"] == "access_denied"


def test_pressing_a_notification_uses_an_open_page(server, called, user, agent):
    """The page is not opened twice, and shows the denial step.

    Only Chromium shows that it comes to the front: an automated Firefox raises no tab.
    """
    called.tab.open("about:blank")
    agent.request_approval(user)
    called.desktop.wait("Approval needed, low risk")
    approval_id = waiting(server, user)[0].id
    called.tab.open(f"{server.url}/r/{approval_id}")
    called.tab.ask("document.body.dataset.mark = 'the same'")
    for label, step in (("", "facts"), ("Deny…", "deny")):
        other_browser = called.tab.new_tab()
        called.tab.see("document.hidden")
        called.desktop.shown.clear()
        now = server.clock.now()
        called.push(json.dumps({"kind": "ask", "id": approval_id, "risk": "low", "at": now}))
        called.desktop.press(called.desktop.wait("Approval needed, low risk"), label)
        called.tab.see(f"!document.getElementById('{step}').hidden")
        assert called.autopush or called.tab.see("!document.hidden")
        other_browser.close()
    assert called.tab.ask("document.body.dataset.mark") == "the same"
    assert len([address for address in called.tab.addresses() if approval_id in address]) == 1
    assert len(waiting(server, user)) == 1


def test_an_opened_request_closes_its_own_notification(server, called, user, agent):
    """Opening a request leaves the notifications for other requests open."""
    called.tab.open(f"{server.url}/settings")
    now = server.clock.now()
    called.push(json.dumps({"kind": "ask", "id": "other", "risk": "critical", "at": now}))
    called.desktop.wait("Approval needed, critical risk")
    agent.request_approval(user)
    approval_id = waiting(server, user)[0].id
    until(lambda: {"other", approval_id} <= set(called.tab.ask(_TAGS) or []), 30)
    called.tab.open(f"{server.url}/r/{approval_id}")
    until(lambda: approval_id not in (called.tab.ask(_TAGS) or [approval_id]), 30)
    assert "other" in called.tab.ask(_TAGS)


def test_several_pending_requests_are_one_notification(server, called, user, agent):
    """The notification counts the requests, and opening the inbox closes it."""
    before = called.desktop.count
    for _ in range(3):
        agent.ask_payment(user)
    until(lambda: len(called.service.taken) >= 3, 30)
    until(lambda: called.desktop.count >= before + 3, 30)
    notification = called.desktop.wait("3 approvals waiting")
    assert notification.body.endswith("Highest risk: high risk.")
    until(lambda: called.titles() == ["3 approvals waiting"], 30)
    called.tab.open(f"{server.url}/")
    until(lambda: called.titles() == [], 30)


def test_a_browser_that_unsubscribed_is_removed_and_its_user_informed(server, called, user, agent):
    """The push service returns 410, and the browser subscribes again when a page is opened."""
    (before,) = subscriptions(server, user)
    assert called.tab.ask(_UNSUBSCRIBE) is True
    called.tab.open("about:blank")
    agent.request_approval(user)
    until(lambda: "410 gone" in called.service.refused, 30)
    until(lambda: not subscriptions(server, user), 30)
    unsubscribed = entries(server, "push.unsubscribed", cause="gone")
    assert before in {entry["facts"]["push_subscription"] for entry in unsubscribed}
    assert "device.unreached" in _events(server, user)
    called.tab.open(f"{server.url}/")
    until(lambda: subscriptions(server, user), 30)


def test_a_new_push_key_of_the_server_is_used_when_a_page_is_opened(server, called, user, agent):
    """A subscription with the old key is useless, so the page subscribes again."""
    (before,) = subscriptions(server, user)
    called.tab.open("about:blank")
    server.kill()
    forget_push_key(server)
    server.start()
    called.tab.open(f"{server.url}/")
    until(lambda: subscriptions(server, user).isdisjoint({before}), 30)
    agent.request_approval(user)
    called.desktop.wait("Approval needed, low risk")
    assert len(subscriptions(server, user)) == 1
    _is_not_lost(server, called, user)


def test_signing_out_stops_push_and_a_passkey_signs_in_without_a_name(server, called, user):
    """The browser and the server both drop the subscription; the passkey identifies the user."""
    called.sign_out()
    assert not subscriptions(server, user)
    called.tab.click("#sign-in")
    called.tab.wait_for_text("Waiting for you")
    assert user in called.tab.text(".who")


def test_a_decision_in_one_browser_appears_in_the_other_within_two_seconds(
    server, called, other_browser, user, agent
):
    """The user has a passkey in each browser; the other browser only watches."""
    other_browser.join(user)
    agent.request_approval(user)
    approval_id = waiting(server, user)[0].id
    listening(other_browser.tab, f"{server.url}/r/{approval_id}")
    called.tab.open(f"{server.url}/r/{approval_id}")
    called.tab.click("#to-deny")
    called.tab.click("#no button[type=submit]")
    decided = until(lambda: stored_approval(server, approval_id).decided_at, 30)
    says_soon(server, other_browser.tab, "Denied by", since=decided)
    assert other_browser.tab.ask("document.querySelectorAll('main button').length") == 0
    other_browser.sign_out()


def test_a_lost_subscription_is_renewed_without_a_page(server, both, agent):
    """`pushsubscriptionchange`: the service worker subscribes again, with no page open.

    Only in Firefox: Chromium sends its service worker no such event.
    """
    firefox = both["firefox"]
    user = firefox.new_person()
    (before,) = subscriptions(server, user)
    firefox.tab.open("about:blank")
    assert firefox.autopush is not None
    firefox.autopush.forget()
    (after,) = until(lambda: subscriptions(server, user) - {before}, 60)
    agent.ask_payment(user)
    firefox.desktop.wait("Approval needed, high risk")
    until(lambda: subscriptions(server, user) == {after}, 30)
    _is_not_lost(server, firefox, user)
    firefox.sign_out()


def _is_not_lost(server: LiveServer, called: Called, name: str) -> None:
    """Check that the server did not tell the user or the page that this browser is lost."""
    called.tab.open(f"{server.url}/devices")
    called.tab.see(TOLD_AGAIN)
    assert called.tab.ask(_LOST_BROWSERS) == []
    assert "dropped this browser" not in called.tab.text()
    assert "device.unreached" not in _events(server, name)


def _events(server: LiveServer, name: str) -> list[str]:
    """Return the events that were sent to a user's devices."""
    with server.services.store.read() as view:
        user = view.directory.find_user(name)
        assert user is not None
        return [event.event for event in view.feed.events_after(0, user.id, 1_000)]
