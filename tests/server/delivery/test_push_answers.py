"""What each answer of a push service means for the browser, its user and others."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from server import app
from server.delivery import egress
from server.delivery.web_push import _wait_ms
from server.services.operations.doctor import Doctor
from server.services.policy.evaluation import Evaluator
from server.serving.loops import run_concurrently
from tests.support.browsers.push_calls import PATH, ask, dead, shown, subscribe
from tests.support.builders.clock import HOUR, MINUTE
from tests.support.builders.passkey import new_browser
from tests.support.checks.waiting import until
from tests.support.fakes.push_service import answer, flood, hang, push_service


@pytest.mark.parametrize("status", [201, 202])
def test_an_accepted_push_is_not_sent_again(local, browser, agent, service, status):
    """WP-03: 201, or 202 of a push service that reports the outcome later."""
    subscribe(browser, service)
    calls = []

    def take(handler):
        calls.append(handler.path)
        handler.say(status)

    service.behaviour = take
    ask(agent)
    local.deliver()
    local.clock.forward(MINUTE)
    local.deliver()
    assert len(calls) == 1
    assert shown(browser)["delivered_at"] is not None


@pytest.mark.parametrize("status", [307, 400, 403, 410, 413, 429, 500])
def test_a_failed_push_leaves_the_request_pending(local, browser, agent, service, status):
    """WP-15: it stays listed until it expires and is answered like any other."""
    subscribe(browser, service)
    service.behaviour = answer(status)
    approval = ask(agent)
    for _ in range(2):
        local.deliver()
        local.clock.forward(MINUTE)
    with local.services.store.read() as view:
        assert view.approvals.get(approval.id) == approval
    (listed,) = browser.send("GET", "/api/approvals").json["items"]
    assert listed["id"] == approval.id
    assert browser.deny(approval.id).status == 200


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_unknown_to_its_push_service_is_removed(local, browser, agent, service, status):
    """WP-04: it goes at once; the log has the reason, and the user's other screens learn of it."""
    subscribe(browser, service)
    service.behaviour = answer(status)
    ask(agent)
    local.deliver()
    assert local.admin.events(browser.user)[-1] == "device.unreached"
    assert browser.send("GET", PATH).json["items"] == []
    (entry,) = local.admin.entries("push.unsubscribed")
    assert (entry["actor"], entry["cause"]) == ("system", "gone")
    assert dead(local) == 0


def test_a_lost_browser_is_reported_in_feed_webhook_and_list(local, browser, agent, service):
    """They name the device; a new subscription of it clears the report."""
    lost = subscribe(browser, service)
    service.behaviour = answer(410)
    ask(agent)
    local.deliver()
    (one,) = browser.send("GET", PATH).json["lost"]
    assert (one["id"], one["device"]["id"]) == (lost, browser.device_id)
    assert one["service"] == service.origin
    assert local.admin.events(browser.user).count("device.unreached") == 1
    (hooked,) = [one for one in local.messages() if one["event"] == "device.unreached"]
    assert hooked["device"] == browser.device_id
    subscribe(browser, service)
    assert browser.send("GET", PATH).json["lost"] == []


def test_a_user_can_dismiss_a_lost_browser(local, browser, agent, service):
    """A user can dismiss only their own; it was no longer called anyway."""
    lost = subscribe(browser, service)
    service.behaviour = answer(404)
    ask(agent)
    local.deliver()
    other = new_browser(local, "ben", credential=b"bens")
    assert other.send("DELETE", f"{PATH}/{lost}").status == 404
    assert browser.send("DELETE", f"{PATH}/{lost}").status == 204
    assert browser.send("GET", PATH).json["lost"] == []
    assert browser.send("DELETE", f"{PATH}/{lost}").status == 404


@pytest.mark.parametrize(("status", "wait"), [(429, 90), (503, 120), (500, 0)])
def test_a_push_is_retried_after_the_time_the_push_service_asks_for(
    local, browser, agent, service, status, wait
):
    """WP-05: it is not sent before that time, and then it is delivered."""
    subscribe(browser, service)
    service.behaviour = answer(status, Retry_After=str(wait))
    ask(agent)
    local.deliver()
    service.behaviour = None
    local.clock.forward(max(0, wait - 1) * 1000)
    local.deliver()
    assert service.taken == []
    local.clock.forward(2_000)
    local.deliver()
    assert len(service.taken) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 413, 307])
def test_a_refusal_of_our_push_keeps_the_browser_and_raises_an_alarm(
    local, browser, agent, service, status
):
    """WP-09: its user, `doctor` and the webhook get the alarm; redirects are not followed."""
    subscribe(browser, service)
    service.behaviour = answer(status, "<b>words of others</b>", Location=f"{service.origin}/x")
    ask(agent)
    local.deliver()
    assert shown(browser)["problem"] == f"status {status}"
    assert dead(local) == 1
    evaluator = Evaluator(local.services.secrets)
    found = Doctor(local.services.store, evaluator).findings()
    assert [one.what for one in found if service.origin in one.what] == [
        f"{service.origin} does not deliver to 1 browser: status {status}."
    ]
    alarms = [one for one in local.messages() if one["event"] == "alarm.push_lost"]
    assert [one["why"] for one in alarms] == [f"status {status}"]
    service.behaviour = None
    ask(agent)
    local.deliver()
    assert shown(browser)["problem"] is None


def test_the_push_alarm_is_raised_once_a_day(local, browser, agent, service):
    """However many messages were refused."""
    subscribe(browser, service), subscribe(browser, service)
    service.behaviour = answer(403)
    ask(agent)
    local.deliver()
    assert len([one for one in local.messages() if one["event"] == "alarm.push_lost"]) == 1


def test_a_push_response_without_end_is_cut_off(local, browser, agent, service):
    """It ends after its second kilobyte; the push counts as delivered."""
    subscribe(browser, service)
    service.behaviour = flood
    ask(agent)
    local.deliver()
    assert shown(browser)["delivered_at"] is not None


def test_a_push_service_that_hangs_holds_up_no_one_else(open_local, template, service, monkeypatch):
    """I11: other push services and requests go on; at most five messages wait for it."""
    monkeypatch.setattr(egress, "_MAX_BODY_SECONDS", 60)
    monkeypatch.setattr(egress, "_TIMES", (3, 60))
    with push_service() as slow:
        slow.behaviour = hang
        local = open_local(push_origins=f"{service.origin},{slow.origin}")
        browser, agent = new_browser(local), template.agent(local)
        for _ in range(7):
            subscribe(browser, slow)
        subscribe(browser, service)
        worker = app.outbox_worker(local.services, run_concurrently)
        ask(agent)
        while worker.round():
            pass
        until(lambda: service.taken)
        until(lambda: len(worker.in_delivery) == 5)
        ask(agent)
        while worker.round():
            pass
        until(lambda: len(service.taken) == 2)
        slow.over.set()
        until(lambda: not worker.in_delivery, 30)


def test_sequential_deliveries_are_detected(open_local, template, service, monkeypatch):
    """I11: a planted fault: the first push service that hangs delays all others."""
    monkeypatch.setattr(egress, "_MAX_BODY_SECONDS", 60)
    monkeypatch.setattr(egress, "_TIMES", (3, 60))
    with push_service() as other, ThreadPoolExecutor(1) as threads:
        local = open_local(push_origins=f"{service.origin},{other.origin}")
        browser, agent = new_browser(local), template.agent(local)
        kept = {subscribe(browser, one): one for one in (service, other)}
        slow, later = (kept[one] for one in sorted(kept))  # the order in which they are told
        slow.behaviour = hang
        worker = app.outbox_worker(local.services, lambda work: work())
        ask(agent)
        done = threads.submit(worker.round)
        with pytest.raises(AssertionError):
            until(lambda: later.taken, 1)
        slow.over.set()
        done.result(30)


def test_a_refusal_for_a_browser_removed_meanwhile_raises_no_alarm(local, browser, agent, service):
    """There is no row left to record it."""
    kept = subscribe(browser, service)

    def refuse(handler):
        browser.send("DELETE", f"{PATH}/{kept}")
        handler.say(403)

    service.behaviour = refuse
    ask(agent)
    local.deliver()
    assert [one for one in local.messages() if one["event"] == "alarm.push_lost"] == []


def test_a_browser_removed_meanwhile_is_not_logged_twice(local, browser, agent, service):
    """Both entries would say the same."""
    kept = subscribe(browser, service)

    def responds_gone(handler):
        browser.send("DELETE", f"{PATH}/{kept}")
        handler.say(410)

    service.behaviour = responds_gone
    ask(agent)
    local.deliver()
    assert [one["cause"] for one in local.admin.entries("push.unsubscribed")] == ["unsubscribed"]


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
def test_a_retry_after_header_is_read(headers, ms):
    """Seconds, at most an hour; a date needs a Date header."""
    assert _wait_ms(headers) == ms


def test_a_retry_after_date_counts_from_the_date_of_the_answer():
    """The push service's own clock counts, so ours does not matter."""
    now = datetime(2025, 10, 9, 8, 0, tzinfo=UTC)
    dates = {"date": format_datetime(now, usegmt=True)}
    later = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert _wait_ms({**dates, "retry-after": later}) == 90_000
    assert _wait_ms({**dates, "retry-after": dates["date"]}) == 0
