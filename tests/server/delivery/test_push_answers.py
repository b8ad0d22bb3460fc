"""How each response of a push service affects the browser, its user and others."""

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
    """WP-03: a push service answers 201, or 202 if it reports the outcome later."""
    subscribe(browser, service)
    calls = []

    def accept(handler):
        calls.append(handler.path)
        handler.say(status)

    service.behavior = accept
    ask(agent)
    local.deliver()
    local.clock.forward(MINUTE)
    local.deliver()
    assert len(calls) == 1
    assert shown(browser)["delivered_at"] is not None


@pytest.mark.parametrize("status", [307, 400, 403, 410, 413, 429, 500])
def test_a_failed_push_leaves_the_request_pending(local, browser, agent, service, status):
    """WP-15: the request stays listed and can be answered like any other."""
    subscribe(browser, service)
    service.behavior = answer(status)
    approval = ask(agent)
    for _ in range(2):
        local.deliver()
        local.clock.forward(MINUTE)
    with local.services.store.read() as view:
        assert view.approvals.get(approval.id) == approval
    (item,) = browser.send("GET", "/api/approvals").json["items"]
    assert item["id"] == approval.id
    assert browser.deny(approval.id).status == 200


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_unknown_to_its_push_service_is_removed(local, browser, agent, service, status):
    """WP-04: it is removed immediately. The log has the reason, and other screens get an event."""
    subscribe(browser, service)
    service.behavior = answer(status)
    ask(agent)
    local.deliver()
    assert local.admin.events(browser.user)[-1] == "device.unreached"
    assert browser.send("GET", PATH).json["items"] == []
    (entry,) = local.admin.entries("push.unsubscribed")
    assert (entry["actor"], entry["cause"]) == ("system", "gone")
    assert dead(local) == 0


def test_a_lost_browser_is_reported_in_feed_webhook_and_list(local, browser, agent, service):
    """The feed, the webhook and the list name the device. A new subscription clears the report."""
    lost_id = subscribe(browser, service)
    service.behavior = answer(410)
    ask(agent)
    local.deliver()
    (loss,) = browser.send("GET", PATH).json["lost"]
    assert (loss["id"], loss["device"]["id"]) == (lost_id, browser.device_id)
    assert loss["service"] == service.origin
    assert local.admin.events(browser.user).count("device.unreached") == 1
    (message,) = [message for message in local.messages() if message["event"] == "device.unreached"]
    assert message["device"] == browser.device_id
    subscribe(browser, service)
    assert browser.send("GET", PATH).json["lost"] == []


def test_a_user_can_dismiss_a_lost_browser(local, browser, agent, service):
    """A user can dismiss only their own lost browsers."""
    lost_id = subscribe(browser, service)
    service.behavior = answer(404)
    ask(agent)
    local.deliver()
    other = new_browser(local, "ben", credential=b"bens")
    assert other.send("DELETE", f"{PATH}/{lost_id}").status == 404
    assert browser.send("DELETE", f"{PATH}/{lost_id}").status == 204
    assert browser.send("GET", PATH).json["lost"] == []
    assert browser.send("DELETE", f"{PATH}/{lost_id}").status == 404


@pytest.mark.parametrize(("status", "wait"), [(429, 90), (503, 120), (500, 0)])
def test_a_push_is_retried_after_the_time_the_push_service_asks_for(
    local, browser, agent, service, status, wait
):
    """WP-05: the push is delivered after that time and not before."""
    subscribe(browser, service)
    service.behavior = answer(status, Retry_After=str(wait))
    ask(agent)
    local.deliver()
    service.behavior = None
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
    """WP-09: the user, `sayso doctor` and the webhook get the alarm. Redirects are not followed."""
    subscribe(browser, service)
    service.behavior = answer(status, "<b>text of the service</b>", Location=f"{service.origin}/x")
    ask(agent)
    local.deliver()
    assert shown(browser)["problem"] == f"status {status}"
    assert dead(local) == 1
    evaluator = Evaluator(local.services.secrets)
    findings = Doctor(local.services.store, lambda: evaluator).findings()
    assert [finding.what for finding in findings if service.origin in finding.what] == [
        f"{service.origin} does not deliver to 1 browser: status {status}."
    ]
    alarms = [message for message in local.messages() if message["event"] == "alarm.push_lost"]
    assert [alarm["why"] for alarm in alarms] == [f"status {status}"]
    service.behavior = None
    ask(agent)
    local.deliver()
    assert shown(browser)["problem"] is None


def test_the_push_alarm_is_raised_once_a_day(local, browser, agent, service):
    """Several refused messages raise one alarm."""
    subscribe(browser, service), subscribe(browser, service)
    service.behavior = answer(403)
    ask(agent)
    local.deliver()
    assert (
        len([message for message in local.messages() if message["event"] == "alarm.push_lost"]) == 1
    )


def test_an_endless_push_response_is_cut_off(local, browser, agent, service):
    """Only two kilobytes of an endless response are read. The push counts as delivered."""
    subscribe(browser, service)
    service.behavior = flood
    ask(agent)
    local.deliver()
    assert shown(browser)["delivered_at"] is not None


def test_a_push_service_that_hangs_does_not_delay_others(
    open_local, template, service, monkeypatch
):
    """I11: other push services are not affected, and at most five messages wait for it."""
    monkeypatch.setattr(egress, "_MAX_BODY_SECONDS", 60)
    monkeypatch.setattr(egress, "_TIMEOUT_SECONDS", (3, 60))
    with push_service() as slow:
        slow.behavior = hang
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
    """I11: with the planted fault, the first push service that hangs delays all others."""
    monkeypatch.setattr(egress, "_MAX_BODY_SECONDS", 60)
    monkeypatch.setattr(egress, "_TIMEOUT_SECONDS", (3, 60))
    with push_service() as other, ThreadPoolExecutor(1) as threads:
        local = open_local(push_origins=f"{service.origin},{other.origin}")
        browser, agent = new_browser(local), template.agent(local)
        by_id = {subscribe(browser, target): target for target in (service, other)}
        slow, later = (by_id[key] for key in sorted(by_id))  # the order of delivery
        slow.behavior = hang
        worker = app.outbox_worker(local.services, lambda work: work())
        ask(agent)
        future = threads.submit(worker.round)
        with pytest.raises(AssertionError):
            until(lambda: later.taken, 1)
        slow.over.set()
        future.result(30)


def test_a_refusal_for_a_removed_browser_raises_no_alarm(local, browser, agent, service):
    """The user removes the browser while the push is being sent."""
    subscription = subscribe(browser, service)

    def remove_and_refuse(handler):
        browser.send("DELETE", f"{PATH}/{subscription}")
        handler.say(403)

    service.behavior = remove_and_refuse
    ask(agent)
    local.deliver()
    assert [message for message in local.messages() if message["event"] == "alarm.push_lost"] == []


def test_the_removal_of_a_browser_is_not_logged_twice(local, browser, agent, service):
    """The user removes the browser while the push service reports it as gone."""
    subscription = subscribe(browser, service)

    def remove_and_report_gone(handler):
        browser.send("DELETE", f"{PATH}/{subscription}")
        handler.say(410)

    service.behavior = remove_and_report_gone
    ask(agent)
    local.deliver()
    assert [entry["cause"] for entry in local.admin.entries("push.unsubscribed")] == [
        "unsubscribed"
    ]


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
    """The pause is at most an hour. A date is used only if there is a Date header."""
    assert _wait_ms(headers) == ms


def test_a_retry_after_date_is_relative_to_the_date_of_the_response():
    """The clock of the push service is used, so ours does not matter."""
    now = datetime(2025, 10, 9, 8, 0, tzinfo=UTC)
    dates = {"date": format_datetime(now, usegmt=True)}
    later = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert _wait_ms({**dates, "retry-after": later}) == 90_000
    assert _wait_ms({**dates, "retry-after": dates["date"]}) == 0
