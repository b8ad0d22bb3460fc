"""A passkey's answer: judged by the same rules as a terminal's, kept as it was signed."""

import json

import pytest

from server.model.devices import Passkey
from server.protocol import names
from server.protocol.approvals.states import State
from server.protocol.devices.passkeys import challenge, encoded, read_assertion
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, code_for, new_browser


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


TYPED_BACK = {**PAYMENT, "type_back": {"fact": "/amount"}}


@pytest.fixture(autouse=True)
def typed_back(local):
    """Of a payment, the amount is typed back."""
    local.desk.actions.update(json.dumps(TYPED_BACK), by=BY)


def _asked(agent, **members):
    return agent.asked(login_hint="eva", **members)


def _asked_payment(agent):
    return agent.asked_payment(login_hint="eva")


def test_a_passkey_approves_and_the_agent_gets_its_token(browser, agent, local):
    """The token says how: a key was proved, its person was verified."""
    handle, approval = _asked(agent)
    assert browser.approve(approval.id).json["state"] == "approved"
    claims = local.claims(agent.poll(handle).json["access_token"])
    assert (claims["acr"], claims["amr"]) == (names.ACR_PASSKEY, ["pop", "user"])
    assert claims["approval"]["action_digest"] == approval.action_digest


def test_the_record_has_what_was_signed_and_anybody_can_check_it(browser, agent, local):
    """Log alone: the passkey's public key when it came, its word now, and the digest between."""
    _, approval = _asked(agent)
    browser.approve(approval.id)
    (entry,) = local.desk.entries("approval.approved")
    assert entry["facts"]["channel"] == "browser"
    said = read_assertion(entry["facts"]["signed"])
    assert json.loads(said.payload)["display_digest"] == approval.display_digest
    assert encoded(challenge(said.payload)) in said.client_data.decode()
    enrolled = next(
        one for one in local.desk.entries("device.enrolled") if "public_key" in one["facts"]
    )
    assert enrolled["facts"]["kids"] == {"passkey": encoded(said.credential)}
    known = Passkey("", said.credential, browser.passkey.public_key, 0, synced=False)
    assert enrolled["facts"]["public_key"] == encoded(known.public_key)
    authenticators = local.site.approvals.decisions.signatures.authenticators
    assert authenticators.signed(said, known) > 0


def test_a_passkey_decides_high_risk_with_the_fact_and_without_a_pin(browser, agent, local):
    """Its own verification of the person stands where a terminal asks for the PIN."""
    handle, approval = _asked_payment(agent)
    assert approval.ceremony == "pin+type_back"
    assert browser.approve(approval.id).status == 200
    (entry,) = local.desk.entries("approval.approved")
    assert entry["facts"]["ceremony"] == "type_back"
    assert agent.poll(handle).status == 200


def test_a_passkey_types_the_fact_back_like_everybody(browser, agent, local):
    """Wrong twice locks, and no step that is asked for is left out or made up."""
    _, approval = _asked_payment(agent)
    plain = browser.decision(approval.id, ceremony="confirm")
    assert browser.answer(approval.id, plain).refusal == (403, "ceremony_required")
    with_pin = browser.decision(approval.id, ceremony="pin+type_back")
    assert browser.answer(approval.id, with_pin, fact="x").refusal == (422, "invalid_decision")
    for code in ((422, "wrong_entry"), (423, "request_locked")):
        word = browser.decision(approval.id)
        assert browser.answer(approval.id, word, fact="wrong").refusal == code
    assert local.stored(approval.id).state is State.CANCELLED


def test_a_new_passkey_waits_before_it_decides_high_risk(person, agent, local):
    """As a terminal does; low risk it decides at once, and after a day everything."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enrol(code_for(local, "ana"))
    _, low = agent.asked()
    assert browser.approve(low.id).status == 200
    _, early = agent.asked_payment()
    assert browser.approve(early.id).refusal == (403, "device_too_new")
    local.clock.forward(DAY)
    _, late = agent.asked_payment()
    assert browser.approve(late.id).status == 200


def test_a_passkey_denies_with_a_reason(browser, agent, local):
    """A no is signed too: whoever has the cookie alone cannot say it."""
    _, approval = _asked(agent)
    assert browser.deny(approval.id, "too_broad", note="Less, please").json["state"] == "denied"
    (entry,) = local.desk.entries("approval.denied")
    assert (entry["cause"], entry["facts"]["channel"]) == ("too_broad", "browser")


def test_the_same_answer_again_is_no_second_one(browser, agent):
    """A receipt that was lost on the way is sent once more."""
    _, approval = _asked(agent)
    word = browser.decision(approval.id)
    assert browser.answer(approval.id, word).status == 200
    assert browser.answer(approval.id, word).json["state"] == "approved"


@pytest.mark.parametrize(
    "member", ["iss", "sub", "aud", "approval", "action_digest", "display_digest", "nonce"]
)
def test_a_word_about_something_else_counts_for_nothing(browser, agent, local, member):
    """Every member is compared with our own rows."""
    _, approval = _asked(agent)
    word = browser.decision(approval.id, **{member: "another"})
    assert browser.answer(approval.id, word).refusal == (422, "invalid_decision")
    assert local.stored(approval.id).state is State.PENDING


def test_a_passkey_without_verification_decides_nothing(browser, agent, local):
    """Whoever finds an unlocked phone may look, and no more."""
    _, approval = _asked(agent)
    browser.passkey.flags = 0x01
    refused = browser.approve(approval.id)
    assert refused.refusal == (422, "invalid_decision")
    assert local.stored(approval.id).state is State.PENDING


@pytest.mark.parametrize("word", ["a.b.c.d", "a.b.c.d.e.f", "a..c.d.e", "!.b.c.d.e"])
def test_what_is_no_word_is_no_answer(browser, agent, word):
    """Neither a JWS nor a passkey's word."""
    _, approval = _asked(agent)
    assert browser.answer(approval.id, word).refusal == (422, "invalid_decision")


def test_the_passkey_of_another_device_does_not_answer_for_this_one(browser, agent, local):
    """A browser that is signed in with one passkey answers with that one."""
    _, approval = _asked(agent)
    other = LocalBrowser(local, browser.user, SoftPasskey(credential=b"other"))
    other.enrol(code_for(local, "eva"))
    word = browser.decision(approval.id)
    assert other.answer(approval.id, word).refusal == (403, "key_not_allowed")


def test_a_stolen_cookie_decides_nothing(browser, agent, local):
    """It sees, and that is all: its own passkey is not the one that was enrolled."""
    _, approval = _asked(agent)
    thief = LocalBrowser(local, browser.user, SoftPasskey(), browser.cookie, browser.device_id)
    assert thief.send("GET", f"/api/approvals/{approval.id}").status == 200
    for answer in (thief.approve(approval.id), thief.deny(approval.id)):
        assert answer.refusal == (422, "invalid_decision")
    assert local.stored(approval.id).state is State.PENDING


def test_nobody_elses_request_is_there_for_a_browser(browser, agent):
    """A request of Ana's, by Eva's browser."""
    _, approval = agent.asked()
    path = f"/api/approvals/{approval.id}"
    assert browser.send("GET", path).refusal == (404, "not_found")
    assert browser.answer(approval.id, "a.b.c.d.e").refusal == (404, "not_found")


def test_a_look_never_decides(browser, agent, local):
    """GET has no way to answer, whatever it carries."""
    _, approval = _asked(agent)
    with pytest.raises(LookupError, match="no route"):
        browser.send("GET", f"/api/approvals/{approval.id}/decision", {"decision": "x"})
    assert local.stored(approval.id).state is State.PENDING


def test_a_statement_of_a_terminal_is_not_asked_of_a_browsers_key(local, person):
    """A passkey has none of a terminal's keys, and a statement that names one finds none."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enrol(code_for(local, "ana"))
    ben = new_person(local, "ben")
    service = local.site.devices.devices
    at = local.site.devices.browsers.person(browser.cookie)
    local.clock.forward(DAY)
    jws = ben.statement("vouch", "x", ben.high)
    with pytest.raises(Exception, match="not signed by a key of this device"):
        service.vouch(at, person.device_id, jws)
