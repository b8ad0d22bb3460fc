"""Signature counters of passkeys: a counter that does not increase is refused with an alarm."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from server.protocol.approvals.decisions import digest
from server.protocol.approvals.states import State
from tests.support.builders.callers import LocalAgent
from tests.support.builders.clock import HOUR
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code, new_browser
from tests.support.builders.site import Answer, LocalSite

REFUSED = (403, "passkey_counter")
STORED_COUNTER = 7


@pytest.fixture
def browser(local: LocalSite) -> LocalBrowser:
    """Eva, whose passkey counts signatures and has signed seven times."""
    browser = new_browser(local)
    browser.passkey.signs = STORED_COUNTER - 1
    assert browser.sign_in().status == 200
    return browser


def _request(agent: LocalAgent) -> str:
    _, approval = agent.request_approval(login_hint="eva")
    return approval.id


def _sign_in(browser: LocalBrowser, _agent: LocalAgent) -> Answer:
    return browser.sign_in()


def _approve(browser: LocalBrowser, agent: LocalAgent) -> Answer:
    return browser.approve(_request(agent))


def _deny(browser: LocalBrowser, agent: LocalAgent) -> Answer:
    return browser.deny(_request(agent))


def _report(browser: LocalBrowser, agent: LocalAgent) -> Answer:
    request = _request(agent)
    decision = browser.decision(request, decision="deny", code="suspicious", ceremony="none")
    body = {"decision": decision, "scope": "agent"}
    return browser.send("POST", f"/api/approvals/{request}/report", body)


def _create_code(browser: LocalBrowser, _agent: LocalAgent) -> Answer:
    return _send_statement(browser, "enroll", "/api/devices/codes", "{nonce}")


def _set_user_code(browser: LocalBrowser, _agent: LocalAgent) -> Answer:
    return _send_statement(
        browser, "user_code", "/api/user-code", "{nonce}\nblue whale", code="blue whale"
    )


def _send_statement(
    browser: LocalBrowser, purpose: str, path: str, text: str, **body: Any
) -> Answer:
    nonce = browser.send("GET", "/api/me").json["device"]["nonce"]
    subject = digest(text.format(nonce=nonce))
    statement = browser.statement(purpose=purpose, subject=subject, nonce=nonce)
    return browser.send("POST", path, {**body, "statement": statement})


USES = (
    _sign_in,
    _approve,
    _deny,
    _report,
    _create_code,
    _set_user_code,
)
Use = Callable[[LocalBrowser, LocalAgent], Answer]


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
@pytest.mark.parametrize(
    "signs", [STORED_COUNTER, STORED_COUNTER - 1, 0], ids=["the same", "lower", "none"]
)
def test_a_counter_that_does_not_increase_is_refused_with_an_alarm(
    local: LocalSite, browser: LocalBrowser, agent: LocalAgent, use: Use, signs: int
) -> None:
    """Apart from the audit entry and the alarm in the feed and at the webhook, nothing changes."""
    browser.passkey.signs = signs - 1
    assert use(browser, agent).refusal == REFUSED

    (entry,) = local.admin.entries("passkey.refused")
    assert entry["subject"] == browser.user.id
    assert entry["facts"] == {
        "device": browser.device_id,
        "counter": signs,
        "known": STORED_COUNTER,
    }
    assert "alarm.passkey_counter" in local.admin.events(browser.user)
    assert browser.device.alarmed_at == local.clock.now()
    (alarm,) = [
        message for message in local.messages() if message["event"] == "alarm.passkey_counter"
    ]
    assert alarm["device"] == browser.device_id
    with local.services.store.read() as view:
        pending = view.approvals.waiting(browser.user.id, view.now, 10, None)
        assert all(approval.state is State.PENDING for approval in pending)
        assert len(pending) == (1 if use in {_approve, _deny, _report} else 0)
    browser.passkey.signs = STORED_COUNTER
    assert browser.sign_in().status == 200


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_each_signature_increases_the_stored_counter(
    browser: LocalBrowser, agent: LocalAgent, use: Use
) -> None:
    """An earlier copy of the passkey is detected when it is first used."""
    assert use(browser, agent).status in {200, 201}
    assert browser.passkey.signs == STORED_COUNTER + 1
    browser.passkey.signs = STORED_COUNTER
    assert browser.sign_in().refusal == REFUSED


def test_a_passkey_without_a_counter_is_accepted_with_zero(
    browser: LocalBrowser, agent: LocalAgent, local: LocalSite
) -> None:
    """Most synchronized passkeys have no counter and always send zero."""
    synced = LocalBrowser(local, browser.user, SoftPasskey(credential=b"synced"))
    assert synced.enroll(enrollment_code(local, "eva")).status == 201
    for _ in range(2):
        synced.passkey.signs = -1
        assert synced.approve(_request(agent)).status == 200
        synced.passkey.signs = -1
        assert synced.sign_in().status == 200


def test_the_same_assertion_may_be_repeated(browser: LocalBrowser, agent: LocalAgent) -> None:
    """A client may resend it if it lost the response; the repetition has no further effect."""
    request = _request(agent)
    decision = browser.decision(request)
    answers = [browser.answer(request, decision) for _ in range(2)]
    assert [answer.json["state"] for answer in answers] == ["approved", "approved"]


def test_only_one_of_two_assertions_with_the_same_counter_is_accepted(
    browser: LocalBrowser, agent: LocalAgent, local: LocalSite
) -> None:
    """A passkey and its copy may be used at the same moment."""
    for _ in range(5):
        requests = [_request(agent) for _ in range(2)]
        signs = browser.passkey.signs
        decisions = []
        for request in requests:
            browser.passkey.signs = signs
            decisions.append(browser.decision(request))
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(browser.answer, requests, decisions))
        assert sorted(answer.status for answer in answers) == [200, 403]
        approved_count = [local.stored_approval(request).state for request in requests].count(
            State.APPROVED
        )
        assert approved_count == 1


def test_a_replayed_assertion_raises_at_most_one_alarm_an_hour(
    browser: LocalBrowser, local: LocalSite
) -> None:
    """The number of audit entries is limited to twenty."""
    offer = browser.send("POST", "/api/passkeys/offer").json["text"]
    browser.passkey.signs = 1
    for _ in range(30):
        assert browser.sign_in(offer).refusal == REFUSED
        browser.passkey.signs = 1
    alarms = local.admin.events(browser.user).count("alarm.passkey_counter")
    assert alarms == 1
    assert len(local.admin.entries("passkey.refused")) == 20
    local.clock.forward(HOUR)
    assert browser.sign_in().refusal == REFUSED
    assert local.admin.events(browser.user).count("alarm.passkey_counter") == 2


def test_the_counter_at_enrollment_is_the_first_known(local: LocalSite) -> None:
    """A copy that was made before the enrollment is detected too."""
    browser = new_browser(local, signs=40)
    browser.passkey.signs = 39
    refused = browser.sign_in()
    assert refused.refusal == REFUSED
    assert json.loads(refused.body)["detail"].endswith("create a new one.")
