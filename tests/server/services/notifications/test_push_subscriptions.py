"""Web push subscriptions of browsers: how they are added, validated, listed and removed."""

import json

import pytest
from sqlalchemy import select

from server import outward
from server.crypto.vapid import public_key
from server.protocol import base64url
from server.services.notifications import push_subscriptions
from server.services.notifications.push_subscriptions import MAX_SUBSCRIPTIONS
from server.services.notifications.pushes import DORMANT_MS
from server.storage.notifications.tables import outbox
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code, new_browser
from tests.support.fakes.push_service import PushService

PATH = "/api/push-subscriptions"


@pytest.fixture
def service():
    """A push service that only issues subscriptions."""
    return PushService(port=8990)


@pytest.fixture
def local(open_local, service):
    """A server that accepts subscriptions from that push service."""
    return open_local(push_origins=service.origin)


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


def _subscribe(browser, subscription, **members):
    return browser.send("POST", PATH, {**subscription.to_json(), **members})


def _list(browser):
    return browser.send("GET", PATH).json


def _queued_kinds(local):
    """Return the kinds of the messages that are queued for a push service."""
    rows = select(outbox.c.body).where(outbox.c.channel == "web_push")
    with local.services.store.read() as view:
        return [json.loads(body)["kind"] for body in view._connection.execute(rows).scalars()]


def test_a_browser_subscribes_with_the_public_key_of_the_server(local, browser, service):
    """The response and the audit entry name the push service but never the endpoint."""
    key = base64url.decode(_list(browser)["public_key"])
    assert (len(key), key[0]) == (65, 4)
    subscription = service.mint()
    answer = _subscribe(browser, subscription)
    assert answer.status == 200
    (item,) = _list(browser)["items"]
    assert item == answer.json
    assert item["service"] == service.origin
    assert (item["device"]["name"], item["this"]) == ("phone", True)
    assert (item["delivered_at"], item["dormant"], item["problem"]) == (None, False, None)
    assert subscription.endpoint not in answer.body.decode()
    (entry,) = local.admin.entries("push.subscribed")
    assert subscription.endpoint not in json.dumps(entry)


def test_the_vapid_key_is_created_once_and_kept(browser, local):
    """A new key would invalidate every subscription."""
    key = _list(browser)["public_key"]
    services = local.services
    stored_key = outward.vapid_key(services.settings, services.store, services.secrets)
    assert public_key(stored_key) == key
    assert not (services.settings.data_dir / "vapid.key").exists()
    with services.store.read() as view:
        assert stored_key not in (view.installation.sealed_key("vapid") or b"")


def test_endpoint_and_keys_are_sealed(local, browser, service):
    """A stolen database cannot be used to notify anybody."""
    subscription = service.mint()
    _subscribe(browser, subscription)
    with local.services.store.read() as view:
        (stored,) = view.pushes.of_user(browser.user.id)
    for secret in (subscription.endpoint, subscription.to_json()["keys"]["auth"]):
        assert secret.encode() not in stored.sealed


def test_subscribing_again_updates_the_subscription(local, browser, service):
    """Every page subscribes when it loads, so this must not add a second subscription."""
    subscription = service.mint()
    first = _subscribe(browser, subscription).json
    local.clock.forward(DAY)
    second = _subscribe(browser, subscription).json
    assert second["id"] == first["id"]
    assert (second["created_at"], second["opened_at"] > first["opened_at"]) == (
        first["created_at"],
        True,
    )
    assert len(local.admin.entries("push.subscribed")) == 1


def test_a_subscription_belongs_to_the_user_signed_in_there(local, browser, service):
    """The previous user of the browser is no longer notified there."""
    other, subscription = new_browser(local, "otto", credential=b"otto"), service.mint()
    _subscribe(browser, subscription)
    _subscribe(other, subscription)
    assert _list(browser)["items"] == []
    assert len(_list(other)["items"]) == 1


def test_a_person_has_at_most_ten_subscriptions(browser, service):
    """The eleventh subscription is refused, but the existing ones can still be updated."""
    subscriptions = [service.mint() for _ in range(MAX_SUBSCRIPTIONS)]
    assert {_subscribe(browser, subscription).status for subscription in subscriptions} == {200}
    refused = _subscribe(browser, service.mint())
    assert refused.refusal == (409, "too_many_subscriptions")
    assert _subscribe(browser, subscriptions[0]).status == 200


def test_a_terminal_lists_and_removes_but_cannot_subscribe(local, service):
    """A terminal notifies by itself and needs no push subscription."""
    person = new_person(local, "uta")
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enroll(enrollment_code(local, "uta"))
    assert person.call("POST", PATH, service.mint().to_json()).refusal == (403, "forbidden")
    subscription = _subscribe(browser, service.mint()).json
    listing = person.call("GET", PATH).json
    assert (listing["csrf"], [item["this"] for item in listing["items"]]) == (None, [False])
    assert person.call("DELETE", f"{PATH}/{subscription['id']}").status == 204
    assert _list(browser)["items"] == []


def test_other_users_subscriptions_are_not_found(local, browser, service):
    """A user cannot remove or test another user's subscription."""
    subscription = _subscribe(browser, service.mint()).json
    other = new_browser(local, "otto", credential=b"otto")
    for method, path in (("DELETE", subscription["id"]), ("POST", f"{subscription['id']}/test")):
        assert other.send(method, f"{PATH}/{path}").refusal == (404, "not_found")
    assert len(_list(browser)["items"]) == 1


def test_a_subscription_can_be_removed(local, browser, service):
    """Removing a subscription writes an audit entry, and removing it again is not found."""
    subscription = _subscribe(browser, service.mint()).json
    assert browser.send("DELETE", f"{PATH}/{subscription['id']}").status == 204
    assert browser.send("DELETE", f"{PATH}/{subscription['id']}").refusal == (404, "not_found")
    (entry,) = local.admin.entries("push.unsubscribed")
    assert entry["cause"] == "unsubscribed"


def test_removing_a_subscription_twice_writes_one_entry(local, browser, service):
    """The push service and the person may remove a subscription at the same moment."""
    subscription = _subscribe(browser, service.mint()).json
    with local.services.store.write() as tx:
        stored = tx.pushes.get(subscription["id"])
        for _ in range(2):
            push_subscriptions.remove(tx, stored, actor="system", cause="gone")
    assert len(local.admin.entries("push.unsubscribed")) == 1


def test_a_different_site_cannot_subscribe(browser, service):
    """A request with a different origin or without the CSRF token is refused."""
    body = service.mint().to_json()
    for headers in ({"origin": "https://evil.example"}, {"sayso-csrf": None}):
        assert browser.send("POST", PATH, body, headers).status == 403
    assert _list(browser)["items"] == []


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("https://push.example/x", "unknown push service"),
        ("https://169.254.169.254/x", "unknown push service"),
        ("http://127.0.0.1:8991/x", "https on port 443"),
        ("http://fcm.googleapis.com/x", "must be https"),
        ("https://fcm.googleapis.com:444/x", "https on port 443"),
        ("https://fcm.googleapis.com@evil.example/x", "no user"),
        ("https://fcm.googleapis.com.evil.example/x", "unknown push service"),
        ("https://evilpush.apple.com.evil.example/x", "unknown push service"),
        ("https://xfcm.googleapis.com/x", "unknown push service"),
        ("https://push.services.mozilla.com/x", "unknown push service"),
        ("ftp://fcm.googleapis.com/x", "must be https"),
        ("nothing", "must contain a host"),
        ("https://fcm.googleapis.com:port/x", "absolute URI"),
        ("https://fcm.googleapis.com/" + "x" * 990, "at most 1000"),
    ],
)
def test_an_endpoint_must_be_at_a_known_push_service(browser, service, endpoint, message):
    """WP-02, WP-09: the caller chooses the endpoint, so the server sends to no other address."""
    refused = _subscribe(browser, service.mint(), endpoint=endpoint)
    assert refused.refusal[0] == 422
    assert message in refused.json["detail"] or len(endpoint) > 1000


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:APA91b",
        "https://FCM.googleapis.com:443/fcm/send/abc",
        "https://jmt17.google.com/fcm/send/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/abc",
        "https://wns2-par02p.notify.windows.com/w/?token=abc%3d",
    ],
)
def test_endpoints_of_common_browsers_are_accepted(browser, service, endpoint):
    """Letter case, port and query of the endpoint make no difference."""
    assert _subscribe(browser, service.mint(), endpoint=endpoint).status == 200


@pytest.mark.parametrize(
    "keys",
    [
        {"p256dh": base64url.encode(b"\4" + b"\1" * 64), "auth": "A" * 22},
        {"p256dh": base64url.encode(b"\4" + b"\xff" * 64), "auth": "A" * 22},
        {"p256dh": base64url.encode(b"\2" + b"\1" * 32), "auth": "A" * 22},
        {"p256dh": "A", "auth": "A" * 22},
        {"p256dh": "AB", "auth": "A" * 22},
        {"auth": "A" * 20},
        {"p256dh": 5},
        {"more": "A"},
    ],
)
def test_invalid_keys_are_refused(browser, service, keys):
    """WP-11: a point that is not on the curve would make every message fail."""
    subscription = service.mint().to_json()
    answer = browser.send("POST", PATH, {**subscription, "keys": {**subscription["keys"], **keys}})
    assert answer.refusal == (422, "invalid_body")


def test_revoking_the_device_removes_its_subscription(local, browser, service):
    """The subscription is no longer listed, and the next cleanup deletes it."""
    _subscribe(browser, service.mint())
    other = LocalBrowser(local, browser.user, SoftPasskey(credential=b"second"))
    other.enroll(enrollment_code(local, "eva"))
    assert other.send("DELETE", f"/api/devices/{browser.device_id}").status == 204
    assert _list(other)["items"] == []
    local.services.sweeper.tidy()
    with local.services.store.read() as view:
        assert view.pushes.dormant(view.now + 1, 9) == []


def test_test_notifications_are_limited_to_ten(browser, service):
    """The eleventh test notification within ten minutes is refused."""
    subscription = _subscribe(browser, service.mint()).json
    answers = [browser.send("POST", f"{PATH}/{subscription['id']}/test") for _ in range(11)]
    assert [answer.status for answer in answers] == [204] * 10 + [409]


def test_a_dormant_browser_is_warned_once(local, browser, service):
    """The warning comes after two weeks; opening a page in that browser ends the dormancy."""
    subscription = service.mint()
    _subscribe(browser, subscription)
    local.clock.forward(DORMANT_MS + DAY)
    browser.sign_in()
    assert [item["dormant"] for item in _list(browser)["items"]] == [True]
    for _ in range(2):
        local.services.sweeper.tidy()
    assert _queued_kinds(local) == ["dormant"]
    _subscribe(browser, subscription)
    assert [item["dormant"] for item in _list(browser)["items"]] == [False]
    with local.services.store.read() as view:
        (stored,) = view.pushes.of_user(browser.user.id)
    assert stored.warned_at is None


def test_a_disabled_user_cannot_subscribe(local, browser, service):
    """A browser of a disabled user gets status 403."""
    local.admin.users.disable("eva", by=BY)
    assert _subscribe(browser, service.mint()).status == 403
