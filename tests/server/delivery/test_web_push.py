"""Web push messages reach the right browsers and reveal nothing to push services."""

import base64
import json
import re
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from server.protocol.policy.risks import Risk
from server.services.approvals.oversight import Oversight
from server.services.approvals.withdrawals import withdraw
from server.services.resources.resources import ResourceChanges
from tests.support.browsers.push_calls import CONTACT, PATH, ask, shown, subscribe
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY, PAY_SCOPES
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code, new_browser
from tests.support.fakes.push_service import answer, decrypt, encoded


def test_a_push_to_each_browser_reveals_no_request_contents(local, browser, agent, service):
    """WP-01, WP-12, WP-13: it is encrypted for the browser and signed for the push service.

    Its lifetime is that of the request. It names the request and cannot approve it.
    """
    subscribe(browser, service), subscribe(browser, service)
    approval = ask(agent, binding_message="Secret words")
    local.deliver()
    assert service.refused == []
    first, second = service.taken
    assert first.message == {
        "v": 1,
        "kind": "ask",
        "id": approval.id,
        "risk": "high",
        "exp": approval.expires_at // 1000,
        "n": 1,
        "step": 0,
        "at": local.clock.now(),
    }
    assert second.message == first.message
    assert first.token != second.token
    assert (first.ttl, first.urgency) == ((approval.expires_at - local.clock.now()) // 1000, "high")
    assert first.subject == CONTACT
    assert approval.id not in first.topic
    assert _all_delivered(browser)


def _all_delivered(browser):
    return all(item["delivered_at"] for item in browser.send("GET", PATH).json["items"])


def test_several_pending_requests_are_counted_with_the_highest_risk(local, browser, agent, service):
    """The browser shows one notification for all of them."""
    ask(agent)
    local.deliver()
    subscribe(browser, service)
    low = agent.request_approval(login_hint="eva")[1]
    local.deliver()
    (message,) = service.messages()
    assert (message["id"], message["n"], message["risk"]) == (low.id, 2, "high")


def test_the_pending_count_stops_at_twenty_one(open_local, template, service):
    """Twenty-one stands for more than twenty. Every request is pushed."""
    limits = {"open_per_agent": 100, "notify_per_minute": 100, "notify_per_hour": 100}
    limits |= {"notify_per_agent": 100, "notify_per_type": 100}
    local = open_local(push_origins=service.origin, **limits)
    browser, agent = new_browser(local), template.agent(local)
    subscribe(browser, service)
    for _ in range(23):
        ask(agent)
    local.deliver()
    assert {message["n"] for message in service.messages()} == {21}
    assert len(service.taken) == 23


def test_a_closed_request_is_not_pushed_while_many_others_are_pending(
    open_local, template, service
):
    """A push lists only the first 21 pending requests, so the request's own state decides."""
    limits = {"open_per_agent": 100, "notify_low_per_hour": 100}
    local = open_local(push_origins=service.origin, **limits)
    browser, agent = new_browser(local), template.agent(local)
    subscribe(browser, service)
    requests = [agent.request_approval(login_hint="eva")[1] for _ in range(23)]
    with local.services.store.write() as tx:
        withdraw(tx, requests[:1], reason="withdrawn", actor="system")
    local.deliver()
    pushed = {message["id"] for message in service.messages()}
    assert pushed == {request.id for request in requests[1:]}


def test_medium_risk_has_normal_urgency(local, browser, agent, service):
    """WP-08: the urgency is never low, because a phone may delay such messages until it charges."""
    scopes = ResourceChanges(scopes={**PAY_SCOPES, "payments:read": Risk.MEDIUM})
    local.admin.resources.update(PAY, scopes, by=BY)
    subscribe(browser, service)
    agent.request_approval(login_hint="eva")
    local.deliver()
    assert [push.urgency for push in service.taken] == ["normal"]


def test_each_request_has_its_own_topic(local, browser, agent, service):
    """WP-07: while a phone sleeps, a second message about a request replaces the first one."""
    subscribe(browser, service)
    ask(agent), ask(agent)
    local.deliver()
    topics = {push.topic for push in service.taken}
    assert len(topics) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,32}", topic) for topic in topics)


def test_no_two_push_messages_share_a_salt_or_a_key(local, browser, agent, service):
    """WP-11: two messages to one browser also differ. RFC 8188 2.1 puts salt and key first."""
    subscribe(browser, service)
    ask(agent), ask(agent)
    local.deliver()
    bodies = [push.body for push in service.taken]
    assert len({body[:16] for body in bodies}) == len(bodies) == 2
    assert len({body[21 : 21 + body[20]] for body in bodies}) == 2


def test_every_push_message_has_the_same_short_length(local, browser, agent, service):
    """WP-06: push services accept 4096 bytes, and no text makes a message longer."""
    subscribe(browser, service)
    ask(agent), ask(agent, binding_message="W" * 100)
    local.deliver()
    first, second = (len(push.body) for push in service.taken)
    assert first == second < 512


def test_an_allowed_name_that_resolves_to_an_internal_address_is_not_called(
    local, browser, agent, service, monkeypatch
):
    """WP-09: the address is checked when the message is sent, not only at subscription."""
    subscription = service.mint(browser.send("GET", PATH).json["public_key"]).to_json()
    subscription["endpoint"] = "https://fcm.googleapis.com/fcm/send/abc"
    assert browser.send("POST", PATH, subscription).status == 200

    def look_up(_, port, **__):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    def connect(*_, **__):
        raise AssertionError("something was connected to")

    ask(agent)
    monkeypatch.setattr("requests_hardened.ip_filter.socket.getaddrinfo", look_up)
    monkeypatch.setattr("urllib3.connection.connection.create_connection", connect)
    local.deliver()
    assert "public address" in shown(browser)["problem"]


def test_the_fake_push_service_refuses_a_signature_for_another_audience(
    local, browser, agent, service
):
    """WP-12: the fake push service checks the audience."""
    subscribe(browser, service)
    service.audience = "https://push.example"
    ask(agent)
    local.deliver()
    assert service.taken == []
    assert shown(browser)["problem"] == "status 403"


def test_answered_or_expired_requests_send_no_push(local, browser, agent, service):
    """WP-14: a message already in the outbox is dropped."""
    subscribe(browser, service)
    first, late = ask(agent), ask(agent, requested_expiry="60")
    browser.deny(first.id)
    local.clock.forward(2 * MINUTE)
    local.deliver()
    assert service.taken == []
    assert late.id
    assert shown(browser)["delivered_at"] is None


@pytest.mark.parametrize("reason", ["quiet", "mute", "limit"])
def test_requests_that_do_not_notify_terminals_send_no_push(open_local, template, service, reason):
    """Quiet hours, mutes and limits apply to terminals and pushes. The request is still listed."""
    local = open_local(push_origins=service.origin, notify_per_minute=1)
    scopes = ResourceChanges(scopes={**PAY_SCOPES, "payments:read": Risk.MEDIUM})
    local.admin.resources.update(PAY, scopes, by=BY)
    agent = template.agent(local)
    person = new_person(local, "uta")
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enroll(enrollment_code(local, "uta"))
    subscribe(browser, service)
    agent.request_approval(login_hint="uta")
    local.deliver()
    before = len(service.taken)
    assert before == 1
    if reason == "quiet":
        hours = {"from": "00:00", "to": "24:00", "zone": "UTC"}
        person.call("PUT", "/api/attention/quiet-hours", hours)
        local.clock.forward(2 * MINUTE)
    elif reason == "mute":
        person.call("POST", "/api/attention/mutes", {"agent": agent.id})
        local.clock.forward(2 * MINUTE)
    agent.request_approval(login_hint="uta")
    local.deliver()
    assert len(service.taken) == before
    assert len(person.call("GET", "/api/approvals").json["items"]) == 2


def test_requests_held_during_quiet_hours_are_pushed_afterwards(local, agent, service):
    """When quiet hours end, each held request is pushed once."""
    person = new_person(local, "uta")
    phone = LocalBrowser(local, person.user, SoftPasskey())
    phone.enroll(enrollment_code(local, "uta"))
    subscribe(phone, service)
    now = datetime.fromtimestamp(local.clock.now() / 1000, UTC)
    hours = {"from": "00:00", "to": f"{now + timedelta(minutes=2):%H:%M}", "zone": "UTC"}
    person.call("PUT", "/api/attention/quiet-hours", hours)
    agent.request_approval(login_hint="uta")
    local.deliver()
    assert service.taken == []
    local.clock.forward(3 * MINUTE)
    local.services.escalations.round()
    local.deliver()
    assert len(service.taken) == 1


def test_a_reminder_is_marked_as_one(local, browser, agent, service):
    """The browser notifies again for a reminder, and not for a repeat."""
    subscribe(browser, service)
    approval = ask(agent)
    local.deliver()
    local.clock.forward((approval.expires_at - local.clock.now()) // 2)
    local.services.escalations.round()
    local.deliver()
    assert [message["step"] for message in service.messages()] == [0, 1]
    assert len({message["id"] for message in service.messages()}) == 1


def test_an_inactive_browser_is_checked_once_a_week(local, browser, service):
    """A lost subscription is found before a high-risk request needs it."""
    subscribe(browser, service)
    local.clock.forward(7 * DAY)
    local.services.sweeper.tidy()
    local.deliver()
    assert service.messages() == []
    local.clock.forward(1)
    for _ in range(2):
        local.services.sweeper.tidy()
        local.deliver()
    assert [message["kind"] for message in service.messages()] == ["check"]
    local.clock.forward(7 * DAY)
    service.behavior = answer(410)
    local.services.sweeper.tidy()
    local.deliver()
    browser.sign_in()
    assert len(browser.send("GET", PATH).json["lost"]) == 1


def test_a_check_waits_for_the_end_of_quiet_hours(local, browser, service):
    """A check shows a notification, as every push must."""
    subscribe(browser, service)
    local.clock.forward(8 * DAY)
    browser.sign_in()
    now = local.clock.now() // 60_000 % 1440
    begins, ends = (f"{at // 60 % 24:02}:{at % 60:02}" for at in (now - 1, now + 10))
    quiet_hours = {"from": begins, "to": ends, "zone": "UTC"}
    assert browser.send("PUT", "/api/attention/quiet-hours", quiet_hours).status == 200
    local.services.sweeper.tidy()
    local.deliver()
    assert service.messages() == []
    local.clock.forward(10 * MINUTE)
    local.services.sweeper.tidy()
    local.deliver()
    assert [message["kind"] for message in service.messages()] == ["check"]


def test_a_browser_removed_or_disabled_before_delivery_gets_no_push(local, browser, agent, service):
    """The browsers of a user who is disabled before the delivery also get no push."""
    subscription_id = subscribe(browser, service)
    ask(agent)
    browser.send("DELETE", f"{PATH}/{subscription_id}")
    local.deliver()
    subscribe(browser, service)
    ask(agent)
    local.admin.users.disable("eva", by=BY)
    local.deliver()
    assert service.taken == []


def test_a_test_push_names_no_request_and_expires_after_five_minutes(local, browser, service):
    """A test push only shows whether notifications arrive."""
    subscription_id = subscribe(browser, service)
    assert browser.send("POST", f"{PATH}/{subscription_id}/test").status == 204
    local.deliver()
    (push,) = service.taken
    assert (push.message["kind"], push.message["id"], push.ttl) == ("test", "", 300)


def test_a_dormant_browser_is_warned_by_push(local, browser, service):
    """The push service may still know the subscription."""
    subscribe(browser, service)
    local.clock.forward(15 * DAY)
    local.services.sweeper.tidy()
    local.deliver()
    assert [message["kind"] for message in service.messages()] == ["dormant"]


def test_a_digest_sends_one_push_for_all_its_requests(open_local, template, service):
    """Requests over the limit are announced together later."""
    local = open_local(push_origins=service.origin, notify_per_minute=1, notify_per_hour=1)
    browser, agent = new_browser(local), template.agent(local)
    subscribe(browser, service)
    scopes = ResourceChanges(scopes={**PAY_SCOPES, "payments:read": Risk.MEDIUM})
    local.admin.resources.update(PAY, scopes, by=BY)
    for _ in range(3):
        agent.request_approval(login_hint="eva", requested_expiry="3000")
    local.deliver()
    assert [message["n"] for message in service.messages()] == [3]
    local.clock.forward(2 * MINUTE)
    local.services.escalations.round()
    local.deliver()
    assert len(service.taken) == 2


def test_the_test_decryption_matches_the_rfc_8291_example():
    """WP-10, RFC 8291 appendix A: the message of the example decrypts to its text."""
    body = (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    private = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
    auth = "BTBZMqHH6r4Tts7J_aSIgg"

    def raw(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    key = ec.derive_private_key(int.from_bytes(raw(private)), ec.SECP256R1())
    assert decrypt(raw(body), key, raw(auth)) == b"When I grow up, I want to be a watermelon"
    assert encoded(raw(auth)) == auth


def test_unusable_push_keys_do_not_delay_other_browsers(local, browser, agent, service):
    """The damaged row is reported as a problem, and other browsers get the push."""
    subscription_id = subscribe(browser, service)
    address = {"endpoint": f"{service.origin}/push/x", "p256dh": "AAAA", "auth": "AAAA"}
    sealed = local.services.secrets.seal(
        f"push subscription:{subscription_id}", json.dumps(address).encode()
    )
    with local.services.store.write() as tx:
        tx.pushes.refresh(replace(tx.pushes.get(subscription_id), sealed=sealed))
    subscribe(browser, service)
    ask(agent)
    local.deliver()
    assert len(service.taken) == 1
    problems = [item["problem"] for item in browser.send("GET", PATH).json["items"]]
    assert sorted(bool(problem) for problem in problems) == [False, True]


def test_a_device_revoked_by_someone_else_is_informed_by_push(local, browser, service):
    """The user's other browsers are also informed. A device that its user revokes sends no push."""
    subscribe(browser, service)
    other = LocalBrowser(local, browser.user, SoftPasskey(credential=b"second"))
    other.enroll(enrollment_code(local, "eva"))
    subscribe(other, service)
    Oversight(local.services.store).revoke_device(browser.device_id, by=BY)
    local.deliver()
    assert [message["kind"] for message in service.messages()] == ["ended", "ended"]
    assert all(message["id"] == "" for message in service.messages())
    assert other.send("DELETE", "/api/devices/self").status == 204
    local.deliver()
    assert len(service.messages()) == 2


def test_a_passkey_counter_that_goes_back_notifies_its_user(local, browser, service):
    """Each of the user's browsers gets one push per hour, without any signed data."""
    subscribe(browser, service)
    assert browser.sign_in().status == 200
    for _ in range(2):
        browser.passkey.signs = 0
        assert browser.sign_in().refusal == (403, "passkey_counter")
    local.deliver()
    assert [(message["kind"], message["id"]) for message in service.messages()] == [("copied", "")]
