"""Decisions by passkey follow the rules for terminals; the audit log keeps the signature."""

import json

import pytest

from server.model.devices import Passkey
from server.protocol import names
from server.protocol.approvals.states import State
from server.protocol.devices.passkeys import challenge, encode_base64url, read_assertion
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code, new_browser


@pytest.fixture
def browser(local):
    """The browser of Eva, whose only device is a passkey."""
    return new_browser(local)


PAYMENT_WITH_TYPE_BACK = {**PAYMENT, "type_back": {"fact": "/amount"}}


@pytest.fixture(autouse=True)
def typed_back(local):
    """To approve a payment, a person must type back its amount."""
    local.admin.actions.update(json.dumps(PAYMENT_WITH_TYPE_BACK), by=BY)


def _request(agent, **members):
    return agent.request_approval(login_hint="eva", **members)


def _request_payment(agent):
    return agent.request_payment(login_hint="eva")


def test_an_approval_by_passkey_yields_the_agents_token(browser, agent, local):
    """The token's `acr` and `amr` state that a key was used and the passkey verified its user."""
    handle, approval = _request(agent)
    assert browser.approve(approval.id).json["state"] == "approved"
    claims = local.claims(agent.poll(handle).json["access_token"])
    assert (claims["acr"], claims["amr"]) == (names.ACR_PASSKEY, ["pop", "user"])
    assert claims["approval"]["action_digest"] == approval.action_digest


def test_the_audit_log_is_enough_to_verify_the_signature(browser, agent, local):
    """The log contains the enrolled public key, the assertion and the digest of the display."""
    _, approval = _request(agent)
    browser.approve(approval.id)
    (entry,) = local.admin.entries("approval.approved")
    assert entry["facts"]["channel"] == "browser"
    assertion = read_assertion(entry["facts"]["signed"])
    assert json.loads(assertion.payload)["display_digest"] == approval.display_digest
    assert encode_base64url(challenge(assertion.payload)) in assertion.client_data.decode()
    enrollment = next(
        candidate
        for candidate in local.admin.entries("device.enrolled")
        if "public_key" in candidate["facts"]
    )
    assert enrollment["facts"]["kids"] == {"passkey": encode_base64url(assertion.credential)}
    passkey = Passkey("", assertion.credential, browser.passkey.public_key, 0, synced=False)
    assert enrollment["facts"]["public_key"] == encode_base64url(passkey.public_key)
    authenticators = local.site.approvals.decisions.signatures.authenticators
    assert authenticators.verify_assertion(assertion, passkey) > 0


def test_a_passkey_approves_a_high_risk_request_with_type_back_instead_of_a_pin(
    browser, agent, local
):
    """The user verification of the passkey replaces the PIN."""
    handle, approval = _request_payment(agent)
    assert approval.ceremony == "pin+type_back"
    assert browser.approve(approval.id).status == 200
    (entry,) = local.admin.entries("approval.approved")
    assert entry["facts"]["ceremony"] == "type_back"
    assert agent.poll(handle).status == 200


def test_a_passkey_must_type_back_like_a_terminal(browser, agent, local):
    """Ceremony steps cannot be omitted or invented, and two wrong entries lock the request."""
    _, approval = _request_payment(agent)
    plain = browser.decision(approval.id, ceremony="confirm")
    assert browser.answer(approval.id, plain).refusal == (403, "ceremony_required")
    with_pin = browser.decision(approval.id, ceremony="pin+type_back")
    assert browser.answer(approval.id, with_pin, fact="x").refusal == (422, "invalid_decision")
    for code in ((422, "wrong_entry"), (423, "request_locked")):
        decision = browser.decision(approval.id)
        assert browser.answer(approval.id, decision, fact="wrong").refusal == code
    assert local.stored_approval(approval.id).state is State.CANCELLED


def test_a_new_passkey_cannot_approve_high_risk_requests_for_a_day(person, agent, local):
    """A new passkey can approve low-risk requests immediately."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enroll(enrollment_code(local, "ana"))
    _, low_risk_request = agent.request_approval()
    assert browser.approve(low_risk_request.id).status == 200
    _, early_payment = agent.request_payment()
    assert browser.approve(early_payment.id).refusal == (403, "device_too_new")
    local.clock.forward(DAY)
    _, late_payment = agent.request_payment()
    assert browser.approve(late_payment.id).status == 200


def test_a_passkey_denies_with_a_signed_reason(browser, agent, local):
    """The denial and its reason are in the audit log."""
    _, approval = _request(agent)
    assert browser.deny(approval.id, "too_broad", note="Less, please").json["state"] == "denied"
    (entry,) = local.admin.entries("approval.denied")
    assert (entry["cause"], entry["facts"]["channel"]) == ("too_broad", "browser")


def test_a_repeated_decision_returns_the_same_result(browser, agent):
    """A client may repeat a decision if it did not receive the response."""
    _, approval = _request(agent)
    decision = browser.decision(approval.id)
    assert browser.answer(approval.id, decision).status == 200
    assert browser.answer(approval.id, decision).json["state"] == "approved"


@pytest.mark.parametrize(
    "member", ["iss", "sub", "aud", "approval", "action_digest", "display_digest", "nonce"]
)
def test_a_decision_about_something_else_is_refused(browser, agent, local, member):
    """Every member of the signed decision is compared with the stored rows."""
    _, approval = _request(agent)
    decision = browser.decision(approval.id, **{member: "another"})
    assert browser.answer(approval.id, decision).refusal == (422, "invalid_decision")
    assert local.stored_approval(approval.id).state is State.PENDING


def test_a_passkey_without_user_verification_cannot_decide(browser, agent, local):
    """Unlocking the phone is not enough: the passkey must verify the user for this request."""
    _, approval = _request(agent)
    browser.passkey.flags = 0x01
    refused = browser.approve(approval.id)
    assert refused.refusal == (422, "invalid_decision")
    assert local.stored_approval(approval.id).state is State.PENDING


@pytest.mark.parametrize("decision", ["a.b.c.d", "a.b.c.d.e.f", "a..c.d.e", "!.b.c.d.e"])
def test_a_malformed_decision_is_refused(browser, agent, decision):
    """A string that is neither a JWS nor an assertion is an invalid decision."""
    _, approval = _request(agent)
    assert browser.answer(approval.id, decision).refusal == (422, "invalid_decision")


def test_another_passkey_of_the_person_cannot_sign_for_this_browser(browser, agent, local):
    """A browser must sign with the passkey that it signed in with."""
    _, approval = _request(agent)
    other = LocalBrowser(local, browser.user, SoftPasskey(credential=b"other"))
    other.enroll(enrollment_code(local, "eva"))
    decision = browser.decision(approval.id)
    assert other.answer(approval.id, decision).refusal == (403, "key_not_allowed")


def test_a_stolen_cookie_cannot_decide(browser, agent, local):
    """The cookie is enough to read a request; a decision needs the enrolled passkey."""
    _, approval = _request(agent)
    thief = LocalBrowser(local, browser.user, SoftPasskey(), browser.cookie, browser.device_id)
    assert thief.send("GET", f"/api/approvals/{approval.id}").status == 200
    for answer in (thief.approve(approval.id), thief.deny(approval.id)):
        assert answer.refusal == (422, "invalid_decision")
    assert local.stored_approval(approval.id).state is State.PENDING


def test_another_persons_request_is_not_found_by_a_browser(browser, agent):
    """A browser can neither view nor decide another person's request."""
    _, approval = agent.request_approval()
    path = f"/api/approvals/{approval.id}"
    assert browser.send("GET", path).refusal == (404, "not_found")
    assert browser.answer(approval.id, "a.b.c.d.e").refusal == (404, "not_found")


def test_a_get_request_cannot_decide(browser, agent, local):
    """A link on another site cannot approve a request."""
    _, approval = _request(agent)
    with pytest.raises(LookupError, match="no route"):
        browser.send("GET", f"/api/approvals/{approval.id}/decision", {"decision": "x"})
    assert local.stored_approval(approval.id).state is State.PENDING


def test_a_terminals_statement_is_refused_for_a_browser(local, person):
    """A browser has only its passkey and none of the keys of a terminal."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enroll(enrollment_code(local, "ana"))
    ben = new_person(local, "ben")
    service = local.site.devices.devices
    at = local.site.devices.browsers.person(browser.cookie)
    local.clock.forward(DAY)
    jws = ben.statement("vouch", "x", ben.high)
    with pytest.raises(Exception, match="not signed by a key of this device"):
        service.vouch(at, person.device_id, jws)
