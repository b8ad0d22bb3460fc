"""Web push as it leaves: what a push service sees, and what each of its answers does."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from server import app
from server.delivery import egress
from server.delivery.web_push import _wait_ms
from server.protocol.risks import Risk
from server.services.doctor import Doctor
from server.services.policy.judging import Judge
from server.services.resources import ResourceChanges
from server.serving.loops import beside
from tests.support.callers import new_person
from tests.support.clock import DAY, HOUR, MINUTE
from tests.support.installation import BY, PAY, PAY_SCOPES
from tests.support.passkey import LocalBrowser, SoftPasskey, code_for, new_browser
from tests.support.push_service import answer, decrypt, encoded, flood, hang, push_service
from tests.support.waiting import until

PATH = "/api/push-subscriptions"
CONTACT = "mailto:ops@sayso.example"


@pytest.fixture
def service():
    """A push service that takes what is right."""
    with push_service() as running:
        yield running


@pytest.fixture
def local(open_local, service):
    """A server that calls browsers there too."""
    return open_local(push_origins=service.origin, push_contact=CONTACT)


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


def _subscribe(browser, service):
    key = browser.send("GET", PATH).json["public_key"]
    made = service.mint(key)
    kept = browser.send("POST", PATH, made.to_json())
    assert kept.status == 200
    return kept.json["id"]


def _shown(browser):
    (shown,) = browser.send("GET", PATH).json["items"]
    return shown


def _ask(agent, **members):
    return agent.asked_payment(login_hint="eva", **members)[1]


def _dead(local):
    with local.services.store.read() as view:
        return view.outbox.counts().get("dead", 0)


def test_a_request_calls_each_browser_with_nothing_of_its_contents(local, browser, agent, service):
    """Encrypted for that browser, signed for that push service, alive as long as the request."""
    _subscribe(browser, service), _subscribe(browser, service)
    approval = _ask(agent, binding_message="Secret words")
    local.deliver()
    assert service.refused == []
    first, second = service.taken
    assert first.said == {
        "v": 1,
        "kind": "ask",
        "id": approval.id,
        "risk": "high",
        "exp": approval.expires_at // 1000,
        "n": 1,
        "step": 0,
        "at": local.clock.now(),
    }
    assert second.said == first.said
    assert first.token != second.token
    assert (first.ttl, first.urgency) == ((approval.expires_at - local.clock.now()) // 1000, "high")
    assert first.subject == CONTACT
    assert approval.id not in first.topic
    assert _items_delivered(browser)


def _items_delivered(browser):
    return all(one["delivered_at"] for one in browser.send("GET", PATH).json["items"])


def test_several_that_wait_are_counted_and_the_gravest_named(local, browser, agent, service):
    """So that a browser makes one notification of them."""
    _ask(agent)
    local.deliver()
    _subscribe(browser, service)
    low = agent.asked(login_hint="eva")[1]
    local.deliver()
    (said,) = service.said()
    assert (said["id"], said["n"], said["risk"]) == (low.id, 2, "high")


def test_more_than_twenty_are_not_counted(open_local, template, service):
    """One more than that says so; none of them is left out."""
    limits = {"open_per_agent": 100, "notify_per_minute": 100, "notify_per_hour": 100}
    limits |= {"notify_per_agent": 100, "notify_per_type": 100}
    local = open_local(push_origins=service.origin, **limits)
    browser, agent = new_browser(local), template.agent(local)
    _subscribe(browser, service)
    for _ in range(23):
        _ask(agent)
    local.deliver()
    assert {said["n"] for said in service.said()} == {21}
    assert len(service.taken) == 23


def test_medium_risk_is_not_urgent(local, browser, agent, service):
    """But it is never put off until somebody finds a charger."""
    scopes = ResourceChanges(scopes={**PAY_SCOPES, "payments:read": Risk.MEDIUM})
    local.desk.resources.update(PAY, scopes, by=BY)
    _subscribe(browser, service)
    agent.asked(login_hint="eva")
    local.deliver()
    assert [one.urgency for one in service.taken] == ["normal"]


def test_each_request_has_a_topic_of_its_own(local, browser, agent, service):
    """So a second message about it replaces the first while a phone sleeps; no other."""
    _subscribe(browser, service)
    _ask(agent), _ask(agent)
    local.deliver()
    assert len({one.topic for one in service.taken}) == 2


def test_what_was_answered_or_has_lapsed_calls_nobody(local, browser, agent, service):
    """The message was on its way; when its turn comes there is nothing to say."""
    _subscribe(browser, service)
    first, late = _ask(agent), _ask(agent, requested_expiry="60")
    browser.deny(first.id)
    local.clock.forward(2 * MINUTE)
    local.deliver()
    assert service.taken == []
    assert late.id
    assert _shown(browser)["delivered_at"] is None


@pytest.mark.parametrize("way", ["quiet", "mute", "budget"])
def test_what_rings_no_terminal_calls_no_browser(open_local, template, service, way):
    """The same reasons hold both back; the request is listed all the same."""
    local = open_local(push_origins=service.origin, notify_per_minute=1)
    scopes = ResourceChanges(scopes={**PAY_SCOPES, "payments:read": Risk.MEDIUM})
    local.desk.resources.update(PAY, scopes, by=BY)
    agent = template.agent(local)
    person = new_person(local, "uta")
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enrol(code_for(local, "uta"))
    _subscribe(browser, service)
    agent.asked(login_hint="uta")
    local.deliver()
    before = len(service.taken)
    assert before == 1
    if way == "quiet":
        hours = {"from": "00:00", "to": "24:00", "zone": "UTC"}
        person.call("PUT", "/api/attention/quiet-hours", hours)
        local.clock.forward(2 * MINUTE)
    elif way == "mute":
        person.call("POST", "/api/attention/mutes", {"agent": agent.id})
        local.clock.forward(2 * MINUTE)
    agent.asked(login_hint="uta")
    local.deliver()
    assert len(service.taken) == before
    assert len(person.call("GET", "/api/approvals").json["items"]) == 2


def test_what_was_held_for_the_night_calls_in_the_morning(local, agent, service):
    """Once, when the quiet hours end."""
    person = new_person(local, "uta")
    phone = LocalBrowser(local, person.user, SoftPasskey())
    phone.enrol(code_for(local, "uta"))
    _subscribe(phone, service)
    now = datetime.fromtimestamp(local.clock.now() / 1000, UTC)
    hours = {"from": "00:00", "to": f"{now + timedelta(minutes=2):%H:%M}", "zone": "UTC"}
    person.call("PUT", "/api/attention/quiet-hours", hours)
    agent.asked(login_hint="uta")
    local.deliver()
    assert service.taken == []
    local.clock.forward(3 * MINUTE)
    local.services.escalations.round()
    local.deliver()
    assert len(service.taken) == 1


def test_a_reminder_says_that_it_is_one(local, browser, agent, service):
    """A browser rings again for it, and for no repeat."""
    _subscribe(browser, service)
    approval = _ask(agent)
    local.deliver()
    local.clock.forward((approval.expires_at - local.clock.now()) // 2)
    local.services.escalations.round()
    local.deliver()
    assert [one["step"] for one in service.said()] == [0, 1]
    assert len({one["id"] for one in service.said()}) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_its_push_service_does_not_know_is_forgotten(
    local, browser, agent, service, status
):
    """At once; the log says why, and their other screens are told."""
    _subscribe(browser, service)
    service.behaviour = answer(status)
    _ask(agent)
    local.deliver()
    assert local.desk.events(browser.user)[-1] == "device.unreached"
    assert browser.send("GET", PATH).json["items"] == []
    (entry,) = local.desk.entries("push.unsubscribed")
    assert (entry["actor"], entry["cause"]) == ("system", "gone")
    assert _dead(local) == 0


def test_whose_browser_was_forgotten_is_told_by_other_ways(local, browser, agent, service):
    """Feed, hook and list say which device; a browser of it that is called again ends that."""
    lost = _subscribe(browser, service)
    service.behaviour = answer(410)
    _ask(agent)
    local.deliver()
    (one,) = browser.send("GET", PATH).json["lost"]
    assert (one["id"], one["device"]["id"]) == (lost, browser.device_id)
    assert one["service"] == service.origin
    assert local.desk.events(browser.user).count("device.unreached") == 1
    (hooked,) = [one for one in local.messages() if one["event"] == "device.unreached"]
    assert hooked["device"] == browser.device_id
    _subscribe(browser, service)
    assert browser.send("GET", PATH).json["lost"] == []


def test_a_person_can_be_done_with_a_browser_that_is_lost(local, browser, agent, service):
    """Theirs alone; it was not called any more before."""
    lost = _subscribe(browser, service)
    service.behaviour = answer(404)
    _ask(agent)
    local.deliver()
    other = new_browser(local, "ben", credential=b"bens")
    assert other.send("DELETE", f"{PATH}/{lost}").status == 404
    assert browser.send("DELETE", f"{PATH}/{lost}").status == 204
    assert browser.send("GET", PATH).json["lost"] == []
    assert browser.send("DELETE", f"{PATH}/{lost}").status == 404


def test_a_browser_of_which_nothing_is_heard_is_checked_once_a_week(local, browser, service):
    """What its push service forgot is found before something grave waits."""
    _subscribe(browser, service)
    local.clock.forward(7 * DAY)
    local.services.sweeper.tidy()
    local.deliver()
    assert service.said() == []
    local.clock.forward(1)
    for _ in range(2):
        local.services.sweeper.tidy()
        local.deliver()
    assert [said["kind"] for said in service.said()] == ["check"]
    local.clock.forward(7 * DAY)
    service.behaviour = answer(410)
    local.services.sweeper.tidy()
    local.deliver()
    browser.sign_in()
    assert len(browser.send("GET", PATH).json["lost"]) == 1


def test_a_check_waits_for_the_end_of_quiet_hours(local, browser, service):
    """It shows a notification, as every push must."""
    _subscribe(browser, service)
    local.clock.forward(8 * DAY)
    browser.sign_in()
    now = local.clock.now() // 60_000 % 1440
    begins, ends = (f"{at // 60 % 24:02}:{at % 60:02}" for at in (now - 1, now + 10))
    quiet = {"from": begins, "to": ends, "zone": "UTC"}
    assert browser.send("PUT", "/api/attention/quiet-hours", quiet).status == 200
    local.services.sweeper.tidy()
    local.deliver()
    assert service.said() == []
    local.clock.forward(10 * MINUTE)
    local.services.sweeper.tidy()
    local.deliver()
    assert [said["kind"] for said in service.said()] == ["check"]


@pytest.mark.parametrize(("status", "wait"), [(429, 90), (503, 120), (500, 0)])
def test_a_push_service_in_trouble_is_tried_again_when_it_says(
    local, browser, agent, service, status, wait
):
    """Not before; then it is delivered."""
    _subscribe(browser, service)
    service.behaviour = answer(status, Retry_After=str(wait))
    _ask(agent)
    local.deliver()
    service.behaviour = None
    local.clock.forward(max(0, wait - 1) * 1000)
    local.deliver()
    assert service.taken == []
    local.clock.forward(2_000)
    local.deliver()
    assert len(service.taken) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 413, 307])
def test_a_refusal_that_is_our_fault_keeps_the_browser_and_tells_somebody(
    local, browser, agent, service, status
):
    """Its person, `doctor` and the operator's hook; a redirect is followed nowhere."""
    _subscribe(browser, service)
    service.behaviour = answer(status, "<b>words of others</b>", Location=f"{service.origin}/x")
    _ask(agent)
    local.deliver()
    assert _shown(browser)["problem"] == f"status {status}"
    assert _dead(local) == 1
    judge = Judge(local.services.secrets)
    found = Doctor(local.services.store, judge).findings()
    assert [one.what for one in found if service.origin in one.what] == [
        f"{service.origin} does not deliver to one browser: status {status}."
    ]
    alarms = [one for one in local.messages() if one["event"] == "alarm.push_lost"]
    assert [one["why"] for one in alarms] == [f"status {status}"]
    service.behaviour = None
    _ask(agent)
    local.deliver()
    assert _shown(browser)["problem"] is None


def test_the_alarm_is_said_once_a_day(local, browser, agent, service):
    """However many messages were refused."""
    _subscribe(browser, service), _subscribe(browser, service)
    service.behaviour = answer(403)
    _ask(agent)
    local.deliver()
    assert len([one for one in local.messages() if one["event"] == "alarm.push_lost"]) == 1


def test_an_answer_without_end_is_read_to_its_second_kilobyte(local, browser, agent, service):
    """It was taken, and nobody waits for the rest."""
    _subscribe(browser, service)
    service.behaviour = flood
    _ask(agent)
    local.deliver()
    assert _shown(browser)["delivered_at"] is not None


def test_a_push_service_that_hangs_holds_up_nobody_else(open_local, template, service, monkeypatch):
    """Neither another push service nor whoever asks; five messages wait there, no more."""
    monkeypatch.setattr(egress, "_MOST_SECONDS", 60)
    monkeypatch.setattr(egress, "_TIMES", (3, 60))
    with push_service() as slow:
        slow.behaviour = hang
        local = open_local(push_origins=f"{service.origin},{slow.origin}")
        browser, agent = new_browser(local), template.agent(local)
        for _ in range(7):
            _subscribe(browser, slow)
        _subscribe(browser, service)
        worker = app.outbox_worker(local.services, beside)
        _ask(agent)
        while worker.round():
            pass
        until(lambda: service.taken)
        until(lambda: len(worker.under_way) == 5)
        _ask(agent)
        while worker.round():
            pass
        until(lambda: len(service.taken) == 2)
        slow.over.set()
        until(lambda: not worker.under_way, 30)


def test_a_browser_that_was_removed_meanwhile_is_not_called(local, browser, agent, service):
    """Nor one whose person was stopped."""
    kept = _subscribe(browser, service)
    _ask(agent)
    browser.send("DELETE", f"{PATH}/{kept}")
    local.deliver()
    _subscribe(browser, service)
    _ask(agent)
    local.desk.users.disable("eva", by=BY)
    local.deliver()
    assert service.taken == []


def test_a_refusal_of_a_browser_that_went_meanwhile_is_nobodys(local, browser, agent, service):
    """There is no row that could say so, and no alarm."""
    kept = _subscribe(browser, service)

    def refuse(handler):
        browser.send("DELETE", f"{PATH}/{kept}")
        handler.say(403)

    service.behaviour = refuse
    _ask(agent)
    local.deliver()
    assert [one for one in local.messages() if one["event"] == "alarm.push_lost"] == []


def test_a_browser_that_went_meanwhile_is_forgotten_without_a_second_word(
    local, browser, agent, service
):
    """Both say the same."""
    kept = _subscribe(browser, service)

    def gone(handler):
        browser.send("DELETE", f"{PATH}/{kept}")
        handler.say(410)

    service.behaviour = gone
    _ask(agent)
    local.deliver()
    assert [one["cause"] for one in local.desk.entries("push.unsubscribed")] == ["unsubscribed"]


def test_a_test_says_nothing_and_lives_five_minutes(local, browser, service):
    """It is there to see whether notifications come."""
    kept = _subscribe(browser, service)
    assert browser.send("POST", f"{PATH}/{kept}/test").status == 204
    local.deliver()
    (one,) = service.taken
    assert (one.said["kind"], one.said["id"], one.ttl) == ("test", "", 300)


def test_a_dormant_browser_is_warned_by_push(local, browser, service):
    """Its push service may still know it."""
    _subscribe(browser, service)
    local.clock.forward(15 * DAY)
    local.services.sweeper.tidy()
    local.deliver()
    assert [said["kind"] for said in service.said()] == ["dormant"]


def test_a_digest_calls_once_for_all(open_local, template, service):
    """What came with too many others is told of together, later."""
    local = open_local(push_origins=service.origin, notify_per_minute=1, notify_per_hour=1)
    browser, agent = new_browser(local), template.agent(local)
    _subscribe(browser, service)
    scopes = ResourceChanges(scopes={**PAY_SCOPES, "payments:read": Risk.MEDIUM})
    local.desk.resources.update(PAY, scopes, by=BY)
    for _ in range(3):
        agent.asked(login_hint="eva", requested_expiry="3000")
    local.deliver()
    assert [said["n"] for said in service.said()] == [3]
    local.clock.forward(2 * MINUTE)
    local.services.escalations.round()
    local.deliver()
    assert len(service.taken) == 2


def test_the_own_reading_of_the_tests_is_that_of_the_standard():
    """RFC 8291 appendix A: the message of the standard's example decrypts to its text."""
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


@pytest.mark.parametrize(
    ("headers", "ms"),
    [
        ({}, 0),
        ({"retry-after": "5"}, 5_000),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "999999999999"}, HOUR),
        ({"retry-after": "Thu, 09 Oct 2025 08:01:30 GMT"}, 0),
    ],
)
def test_what_a_push_service_asks_us_to_wait_is_read(headers, ms):
    """Seconds, at most an hour; a date needs another beside it."""
    assert _wait_ms(headers) == ms


def test_a_date_to_wait_for_counts_from_the_date_of_the_answer():
    """By the push service's own clock, so ours does not matter."""
    now = datetime(2025, 10, 9, 8, 0, tzinfo=UTC)
    dates = {"date": format_datetime(now, usegmt=True)}
    later = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert _wait_ms({**dates, "retry-after": later}) == 90_000
    assert _wait_ms({**dates, "retry-after": dates["date"]}) == 0


def test_keys_that_became_unusable_do_not_hold_up_anybody(local, browser, agent, service):
    """A row that was harmed is told as a problem, and others are called."""
    kept = _subscribe(browser, service)
    address = {"endpoint": f"{service.origin}/push/x", "p256dh": "AAAA", "auth": "AAAA"}
    sealed = local.services.secrets.seal(f"push subscription:{kept}", json.dumps(address).encode())
    with local.services.store.write() as tx:
        tx.pushes.opened(replace(tx.pushes.get(kept), sealed=sealed))
    _subscribe(browser, service)
    _ask(agent)
    local.deliver()
    assert len(service.taken) == 1
    problems = [one["problem"] for one in browser.send("GET", PATH).json["items"]]
    assert sorted(bool(one) for one in problems) == [False, True]
