"""The signature counter of a passkey: what goes back is refused wherever it is used, and told."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from server.protocol.approvals.decisions import digest
from server.protocol.approvals.states import State
from tests.support.builders.callers import LocalAgent
from tests.support.builders.clock import HOUR
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, code_for, new_browser
from tests.support.builders.site import Answer, LocalSite

REFUSED = (403, "passkey_counter")
KNOWN = 7


@pytest.fixture
def browser(local: LocalSite) -> LocalBrowser:
    """Eva, whose passkey signs with a counter, and has signed seven times."""
    browser = new_browser(local)
    browser.passkey.signs = KNOWN - 1
    assert browser.sign_in().status == 200
    return browser


def _asked(agent: LocalAgent) -> str:
    _, approval = agent.asked(login_hint="eva")
    return approval.id


def _signs_in(browser: LocalBrowser, _agent: LocalAgent) -> Answer:
    return browser.sign_in()


def _approves(browser: LocalBrowser, agent: LocalAgent) -> Answer:
    return browser.approve(_asked(agent))


def _denies(browser: LocalBrowser, agent: LocalAgent) -> Answer:
    return browser.deny(_asked(agent))


def _reports(browser: LocalBrowser, agent: LocalAgent) -> Answer:
    asked = _asked(agent)
    word = browser.decision(asked, decision="deny", code="suspicious", ceremony="none")
    body = {"decision": word, "scope": "agent"}
    return browser.send("POST", f"/api/approvals/{asked}/report", body)


def _makes_a_code(browser: LocalBrowser, _agent: LocalAgent) -> Answer:
    return _stated(browser, "enrol", "/api/devices/codes", "{nonce}")


def _sets_a_user_code(browser: LocalBrowser, _agent: LocalAgent) -> Answer:
    return _stated(browser, "user_code", "/api/user-code", "{nonce}\nblue whale", code="blue whale")


def _stated(browser: LocalBrowser, purpose: str, path: str, text: str, **body: Any) -> Answer:
    nonce = browser.send("GET", "/api/me").json["device"]["nonce"]
    subject = digest(text.format(nonce=nonce))
    word = browser.statement(purpose=purpose, subject=subject, nonce=nonce)
    return browser.send("POST", path, {**body, "statement": word})


USES = (
    _signs_in,
    _approves,
    _denies,
    _reports,
    _makes_a_code,
    _sets_a_user_code,
)
Use = Callable[[LocalBrowser, LocalAgent], Answer]


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
@pytest.mark.parametrize("signs", [KNOWN, KNOWN - 1, 0], ids=["the same", "lower", "none"])
def test_a_counter_that_does_not_go_up_is_refused_and_told(
    local: LocalSite, browser: LocalBrowser, agent: LocalAgent, use: Use, signs: int
) -> None:
    """Nothing comes of it but an entry, and an alarm on the person's screens and the hook."""
    browser.passkey.signs = signs - 1
    assert use(browser, agent).refusal == REFUSED

    (entry,) = local.desk.entries("passkey.refused")
    assert entry["subject"] == browser.user.id
    assert entry["facts"] == {"device": browser.device_id, "counter": signs, "known": KNOWN}
    assert "alarm.passkey_counter" in local.desk.events(browser.user)
    assert browser.device.alarmed_at == local.clock.now()
    (alarm,) = [one for one in local.messages() if one["event"] == "alarm.passkey_counter"]
    assert alarm["device"] == browser.device_id
    with local.services.store.read() as view:
        waiting = view.approvals.waiting(browser.user.id, view.now, 10, None)
        assert all(one.state is State.PENDING for one in waiting)
        assert len(waiting) == (1 if use in {_approves, _denies, _reports} else 0)
    browser.passkey.signs = KNOWN
    assert browser.sign_in().status == 200


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_whatever_a_passkey_signs_moves_its_counter(
    browser: LocalBrowser, agent: LocalAgent, use: Use
) -> None:
    """So a copy that was made before is noticed at its first use, wherever that is."""
    assert use(browser, agent).status in {200, 201}
    assert browser.passkey.signs == KNOWN + 1
    browser.passkey.signs = KNOWN
    assert browser.sign_in().refusal == REFUSED


def test_a_passkey_that_never_counts_always_says_zero(
    browser: LocalBrowser, agent: LocalAgent, local: LocalSite
) -> None:
    """Most of those that are synchronised between machines."""
    synced = LocalBrowser(local, browser.user, SoftPasskey(credential=b"synced"))
    assert synced.enrol(code_for(local, "eva")).status == 201
    for _ in range(2):
        synced.passkey.signs = -1
        assert synced.approve(_asked(agent)).status == 200
        synced.passkey.signs = -1
        assert synced.sign_in().status == 200


def test_the_same_assertion_may_come_again(browser: LocalBrowser, agent: LocalAgent) -> None:
    """As after a lost receipt; it is no other signature, and has no second effect."""
    asked = _asked(agent)
    word = browser.decision(asked)
    answers = [browser.answer(asked, word) for _ in range(2)]
    assert [one.json["state"] for one in answers] == ["approved", "approved"]


def test_of_two_assertions_with_one_count_one_passes(
    browser: LocalBrowser, agent: LocalAgent, local: LocalSite
) -> None:
    """A passkey and its copy, used at the same moment."""
    for _ in range(5):
        asked = [_asked(agent) for _ in range(2)]
        signs = browser.passkey.signs
        words = []
        for each in asked:
            browser.passkey.signs = signs
            words.append(browser.decision(each))
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(browser.answer, asked, words))
        assert sorted(one.status for one in answers) == [200, 403]
        passed = [local.stored(each).state for each in asked].count(State.APPROVED)
        assert passed == 1


def test_an_old_assertion_that_is_repeated_rings_once_an_hour(
    browser: LocalBrowser, local: LocalSite
) -> None:
    """Whoever repeats it for ever fills neither the screens nor the log."""
    offer = browser.send("POST", "/api/passkeys/offer").json["text"]
    browser.passkey.signs = 1
    for _ in range(30):
        assert browser.sign_in(offer).refusal == REFUSED
        browser.passkey.signs = 1
    alarms = local.desk.events(browser.user).count("alarm.passkey_counter")
    assert alarms == 1
    assert len(local.desk.entries("passkey.refused")) == 20
    local.clock.forward(HOUR)
    assert browser.sign_in().refusal == REFUSED
    assert local.desk.events(browser.user).count("alarm.passkey_counter") == 2


def test_the_counter_at_enrolment_is_the_first(local: LocalSite) -> None:
    """A copy that was made before the passkey came here is noticed too."""
    browser = new_browser(local, signs=40)
    browser.passkey.signs = 39
    answer = browser.sign_in()
    assert answer.refusal == REFUSED
    assert json.loads(answer.body)["detail"].endswith("create a new one.")
