"""Actions of apps that are approved once: on the page, on the device, and in the token."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from server.protocol.names import ACR_PASSWORD, ACR_SIGNED_PIN, GRANT_CIBA, GRANT_TOKEN_EXCHANGE
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.app_forms import AppChanges
from server.services.consents.revocations import revoke_consent
from server.services.resources.resources import ResourceChanges
from server.services.tokens.grants.authorization_code import _ACCESS_ENDED
from server.services.users.users import UserChanges
from server.storage.approvals.approvals import Approvals
from tests.support.browsers.browser import CALLBACK, request_of
from tests.support.builders.app_users import give_password, new_app, new_browser
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.clients.agent import PAYMENT_DETAILS

DETAILS = json.dumps(PAYMENT_DETAILS)
PAYS = {
    "scope": "openid payments:transfer",
    "resource": PAY,
    "authorization_details": DETAILS,
}


@pytest.fixture
def ana(person):
    """A person with a device."""
    return person


@pytest.fixture
def app(local):
    """A shop app."""
    return new_app(local, "shop")


@pytest.fixture
def browser(person, app, local):
    """Ana's browser, signed in; the shop knows who she is."""
    give_password(local, person.user.name)
    browser = new_browser(local)
    browser.authorize(app.id)
    browser.sign_in("ana")
    assert "code" in browser.answer("allow").answer
    return browser


def pending_approvals(person):
    """The approvals that are pending for this person."""
    items = person.call("GET", "/api/approvals").json["items"]
    return [person.local.stored_approval(item["id"]) for item in items]


def approved(browser, ana, app, **parameters):
    """Allow on the page, approve on the device, and return the approval and the code."""
    page = browser.authorize(app.id, **{**PAYS, **parameters})
    assert page.forms[0].buttons == ["deny", "allow"]
    browser.answer("allow")
    (approval,) = pending_approvals(ana)
    assert ana.approve(approval.id).status == 200
    return approval, browser.again().answer["code"]


def test_the_page_shows_the_action(browser, app):
    """The page shows the headline, every value, the risk, and that it applies only once."""
    page = browser.authorize(app.id, **PAYS)
    assert "Allow this for" in page.text
    assert "Pay EUR 4,820.00 to Nordwind Logistik GmbH" in page.text
    for shown in ("EUR 4,820.00", "payment.transfer", "payments:transfer", "high risk", PAY):
        assert shown in page.text
    assert "You will be asked again next time." in page.text


def test_hostile_text_in_details_is_escaped_on_the_page(browser, app):
    """RA-16: markup and control characters in details are shown as harmless text."""
    details = [{**PAYMENT_DETAILS[0], "payee": "<b>x</b>\u202e{{ 7*7 }}"}]
    page = browser.authorize(app.id, **PAYS | {"authorization_details": json.dumps(details)})
    assert "<b>x" not in page.text
    assert "&lt;b&gt;x&lt;/b&gt;" in page.text
    assert "\u202e" not in page.text


def test_the_device_signs_the_action_as_an_app_action(browser, ana, app):
    """The action has high risk, requires the PIN, and needs no consent."""
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    (approval,) = pending_approvals(ana)
    assert (approval.kind, approval.agent_id) == ("app_action", app.id)
    assert (approval.risk, approval.ceremony) == (Risk.HIGH, "pin")
    action, display = json.loads(approval.action), json.loads(approval.display)
    assert action["authorization_details"] == [{"type": "sayso:app_action"}, *PAYMENT_DETAILS]
    assert (action["agent"], action["resource"]) == (app.id, PAY)
    assert action["scope"] == ["payments:transfer"]
    assert display["headline"] == "Pay EUR 4,820.00 to Nordwind Logistik GmbH"
    assert display["kind"] == "app_action"
    assert display["agent"]["name"] == "shop"
    assert "The app shop gets one access token" in display["gives"]
    assert "No refresh token" in display["gives"]


def test_an_approval_yields_one_token_with_the_signed_details(browser, ana, app, local, resource):
    """RA-11, RA-13: response, token and introspection contain them; there is no refresh token."""
    approval, code = approved(browser, ana, app)
    answer = app.redeem(code)
    assert answer.status == 200, answer.body
    assert answer.json["authorization_details"] == PAYMENT_DETAILS
    assert answer.json["scope"] == "openid payments:transfer"
    assert "refresh_token" not in answer.json
    claims = local.claims(answer.json["access_token"])
    assert claims["authorization_details"] == PAYMENT_DETAILS
    assert (claims["sub"], claims["client_id"], claims["aud"]) == (ana.user.id, app.id, PAY)
    assert claims["approval"] == {
        "id": approval.id,
        "action_digest": approval.action_digest,
        "granted_digest": approval.action_digest,
        "single_use": True,
    }
    assert (claims["acr"], claims["amr"]) == (ACR_SIGNED_PIN, ["swk", "pin"])
    assert "act" not in claims
    introspection = resource.introspect(answer.json["access_token"]).json
    assert (introspection["active"], introspection["authorization_details"]) == (
        True,
        PAYMENT_DETAILS,
    )
    assert local.stored_approval(approval.id).state == "redeemed"
    assert local.claims(answer.json["id_token"], "JWT")["acr"] == ACR_PASSWORD
    given_entry, issued = (
        local.admin.entries("grant.given")[-1],
        local.admin.entries("token.issued")[-1],
    )
    assert given_entry["approval_id"] == issued["approval_id"] == approval.id
    with local.services.store.read() as view:
        assert view.consents.live(ana.user.id, app.id, PAY, view.now) is None


def test_the_next_action_needs_a_new_approval(browser, ana, app):
    """An approval stores no consent, and a consent to the scope does not cover an action."""
    _, code = approved(browser, ana, app)
    assert app.redeem(code).status == 200
    browser.authorize(app.id, scope="openid payments:transfer", resource=PAY)
    browser.answer("allow")
    ana.approve(pending_approvals(ana)[0].id)
    assert "code" in browser.again().answer
    assert "Pay EUR" in browser.authorize(app.id, **PAYS).text
    assert browser.authorize(app.id, **PAYS, prompt="none").answer["error"] == "consent_required"
    assert pending_approvals(ana) == []


def test_a_code_yields_one_token(browser, ana, app, local):
    """Two concurrent redemptions of one code issue one token."""
    _, code = approved(browser, ana, app)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: app.redeem(code), range(2)))
    assert sorted(answer.status for answer in answers) == [200, 400]
    assert len(local.admin.entries("token.issued")) == 1


def test_a_denial_on_the_device_returns_access_denied(browser, ana, app):
    """The redirect to the app contains the error after a denial on the device."""
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    ana.deny(pending_approvals(ana)[0].id)
    assert browser.again().answer["error"] == "access_denied"


def test_an_expired_action_returns_an_error_to_the_app(browser, ana, app, local):
    """An action expires if it is not decided, or is approved but not continued, in time."""
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    local.clock.forward(10 * MINUTE + 1)
    assert "in time" in browser.again().answer["error_description"]
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    ana.refresh()
    ana.approve(pending_approvals(ana)[0].id)
    local.clock.forward(11 * MINUTE)
    local.services.sweeper.round()
    assert "in time" in browser.again().answer["error_description"]


def test_details_need_no_scope(browser, ana, app, local):
    """RFC 9396 3: without a scope there is no ID token; the only resource is the default."""
    _, code = approved(browser, ana, app, scope=None, resource=None)
    answer = app.redeem(code).json
    claims = local.claims(answer["access_token"])
    assert (claims["aud"], claims["authorization_details"]) == (PAY, PAYMENT_DETAILS)
    assert "scope" not in claims
    assert answer.keys().isdisjoint({"id_token", "scope"})


def test_several_details_are_all_shown_and_granted(browser, ana, app):
    """RA-09: the page mentions each of several details, and the token has all of them."""
    details = [PAYMENT_DETAILS[0], {**PAYMENT_DETAILS[0], "payee": "Sued GmbH"}]
    sent = json.dumps(details)
    assert "and 1 more" in browser.authorize(app.id, **PAYS | {"authorization_details": sent}).text
    _, code = approved(browser, ana, app, authorization_details=sent)
    assert app.redeem(code).json["authorization_details"] == details


@pytest.mark.parametrize(
    "details",
    [
        "[",
        "[]",
        '[{"type":"nobody.knows"}]',
        '[{"type":"sayso:app_action"}]',
        json.dumps([{**PAYMENT_DETAILS[0], "more": 1}]),
        json.dumps([{**PAYMENT_DETAILS[0], "payee": 7}]),
        json.dumps([{"type": "payment.transfer"}]),
        json.dumps([*PAYMENT_DETAILS, {"type": "payment.transfer"}]),
    ],
)
def test_invalid_details_are_refused(browser, app, ana, local, details):
    """RA-01 to RA-08: the browser and PAR refuse invalid details, and nobody is asked."""
    answer = browser.authorize(app.id, **PAYS | {"authorization_details": details}).answer
    assert (answer["error"], answer["state"]) == ("invalid_authorization_details", "s t/8")
    form = request_of(app.id, **PAYS | {"authorization_details": details})
    pushed = local.post_form("/par", {**form, **app.credentials})
    assert pushed.refusal == (400, "invalid_authorization_details")
    assert pending_approvals(ana) == []


def test_a_scope_may_require_an_action_type_of_an_app(browser, app, ana, local):
    """An app must send the action type that a scope requires, or it is refused."""
    changes = ResourceChanges(requires={"payments:transfer": "payment.transfer"})
    local.admin.resources.update(PAY, changes, by=BY)
    answer = browser.authorize(app.id, **PAYS | {"authorization_details": None}).answer
    assert answer["error"] == "invalid_authorization_details"
    _, code = approved(browser, ana, app)
    assert app.redeem(code).status == 200


def test_a_critical_action_without_two_eligible_approvers_is_refused(browser, app, ana, local):
    """A critical action needs two people, so it is refused before anyone is asked."""
    local.admin.actions.update(json.dumps({**PAYMENT, "risk": "critical"}), by=BY)
    assert browser.authorize(app.id, **PAYS).answer["error"] == "access_denied"
    assert pending_approvals(ana) == []


def test_a_pushed_request_may_contain_details(browser, ana, app, local):
    """RFC 9126, RFC 9396 12: details can be sent in a pushed authorization request."""
    pushed = local.post_form("/par", {**request_of(app.id, **PAYS), **app.credentials}).json
    page = browser.open(f"/authorize?client_id={app.id}&request_uri={pushed['request_uri']}")
    assert "Pay EUR 4,820.00" in page.text
    browser.answer("allow")
    ana.approve(pending_approvals(ana)[0].id)
    code = browser.again().answer["code"]
    assert app.redeem(code).json["authorization_details"] == PAYMENT_DETAILS


def test_a_code_cannot_be_redeemed_for_other_details(browser, ana, app):
    """RA-12: only the same details may be repeated, and a refusal does not use the code."""
    _, code = approved(browser, ana, app)
    other = json.dumps([{**PAYMENT_DETAILS[0], "payee": "Sued GmbH"}])
    for sent in (other, "[", "[]", json.dumps([*PAYMENT_DETAILS, *PAYMENT_DETAILS])):
        answer = app.redeem(code, authorization_details=sent)
        assert answer.refusal == (400, "invalid_authorization_details")
    assert app.redeem(code, authorization_details=DETAILS).status == 200


def test_a_code_without_details_cannot_be_redeemed_with_details(browser, app):
    """Neither a code nor a refresh token without details can be used with details."""
    code = browser.authorize(app.id).answer["code"]
    refused = app.redeem(code, authorization_details=DETAILS)
    assert refused.refusal == (400, "invalid_authorization_details")
    token = app.redeem(code).json["refresh_token"]
    refused = app.refresh(token, authorization_details=DETAILS)
    assert refused.refusal == (400, "invalid_authorization_details")


def _raise_risk(local, _app):
    local.admin.actions.update(json.dumps({**PAYMENT, "risk": "critical"}), by=BY)


def _narrow_permissions(local, app):
    local.admin.apps.update(app.id, AppChanges(scopes=("payments:read",)), by=BY)


def _delete_type(local, _app):
    local.admin.actions.delete("payment.transfer", by=BY)


@pytest.mark.parametrize("tighten", [_raise_risk, _narrow_permissions, _delete_type])
def test_a_code_is_refused_if_its_action_is_no_longer_allowed(browser, ana, app, local, tighten):
    """The risk was raised, a permission removed, or the action type deleted."""
    _, code = approved(browser, ana, app)
    tighten(local, app)
    answer = app.redeem(code)
    assert answer.refusal == (400, "invalid_grant")
    assert answer.json["error_description"] == _ACCESS_ENDED


def _disable_user(local, _app):
    local.admin.users.disable("ana", by=BY)


def _delete_resource(local, _app):
    local.admin.resources.delete(PAY, by=BY)


def _disable_app(local, app):
    local.admin.apps.update(app.id, AppChanges(enabled=False), by=BY)


@pytest.mark.parametrize("disable", [_disable_user, _delete_resource, _disable_app])
def test_a_code_fails_after_its_user_resource_or_app_is_disabled_or_deleted(
    browser, ana, app, local, disable
):
    """User, resource and app are checked again when the token is issued."""
    _, code = approved(browser, ana, app)
    disable(local, app)
    assert app.redeem(code).status in {400, 401}
    assert local.admin.entries("token.issued") == []


@pytest.mark.parametrize(
    ("tighten", "reason"),
    [
        (_disable_app, "agent_disabled"),
        (_raise_risk, "policy_changed"),
        (_delete_type, "policy_changed"),
    ],
)
def test_a_stricter_registration_before_the_decision_cancels_the_request(
    browser, ana, app, local, tighten, reason
):
    """The canceled request states the reason for the change."""
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    (approval,) = pending_approvals(ana)
    tighten(local, app)
    assert ana.approve(approval.id).status == 409
    after = local.stored_approval(approval.id)
    assert (after.state, after.reason) == ("cancelled", reason)


def test_a_resource_consumes_the_action_once(browser, ana, app, resource):
    """A resource consumes the approved details once, and cannot consume other details."""
    _, code = approved(browser, ana, app)
    token = app.redeem(code).json["access_token"]
    other = [{**PAYMENT_DETAILS[0], "payee": "Sued GmbH"}]
    refused = resource.consume(token, authorization_details=other)
    assert (refused.status, refused.json["code"]) == (403, "not_granted")
    assert resource.consume(token, "run-1", authorization_details=PAYMENT_DETAILS).status == 200
    again = resource.consume(token, "run-2", authorization_details=PAYMENT_DETAILS)
    assert (again.status, again.json["code"]) == (409, "already_consumed")


def test_an_approval_for_an_app_does_not_cover_an_agent(browser, ana, agent, app, local):
    """RA-20: an agent that exchanges the token needs an approval of its own."""
    grants = (GRANT_CIBA, GRANT_TOKEN_EXCHANGE)
    local.admin.agents.update(agent.id, AgentChanges(grant_types=grants, serves=(PAY,)), by=BY)
    browser.authorize(app.id, **PAYS, requested_actor=agent.id)
    browser.answer("allow")
    first, second = pending_approvals(ana)
    assert {first.kind, second.kind} == {"consent", "app_action"}
    for approval in (first, second):
        assert ana.approve(approval.id).status == 200
    token = app.redeem(browser.again().answer["code"]).json["access_token"]
    form = {
        "grant_type": GRANT_TOKEN_EXCHANGE,
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "resource": PAY,
        "scope": "payments:transfer",
        **agent.credentials,
    }
    refused = local.post_form("/token", {**form, "authorization_details": DETAILS})
    assert refused.refusal == (400, "interaction_required")
    wider = local.post_form("/token", {**form, "scope": "payments:read"})
    assert wider.status == 400


def test_a_user_without_a_device_is_told_to_enroll_one(app, local):
    """Without a device, the page only offers to deny."""
    local.admin.users.update("admin", UserChanges(email="admin@example.com"), by=BY)
    give_password(local, "admin")
    browser = new_browser(local)
    browser.authorize(app.id, **PAYS)
    page = browser.sign_in("admin")
    assert page.forms[0].buttons == ["deny"]
    assert "Enroll one first" in browser.answer("allow").text


def test_repeated_denials_pause_the_app(browser, ana, app, local):
    """The pause lasts half an hour and applies to one action type."""
    for _ in range(local.server_policy.denials_before_pause):
        browser.authorize(app.id, **PAYS)
        browser.answer("allow")
        ana.deny(pending_approvals(ana)[0].id)
        browser.again()
    browser.authorize(app.id, **PAYS)
    page = browser.answer("allow")
    assert (page.status, "denied this repeatedly" in page.text) == (403, True)


def test_the_code_goes_to_the_redirect_uri_of_the_app(browser, ana, app):
    """The redirect is the same as in a flow without an action."""
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    ana.approve(pending_approvals(ana)[0].id)
    assert browser.again().url.startswith(CALLBACK)


def test_losing_the_race_for_the_redemption_yields_no_token(browser, ana, app, local, monkeypatch):
    """The code stays valid and can be redeemed later."""
    _, code = approved(browser, ana, app)
    with monkeypatch.context() as faster:
        faster.setattr(Approvals, "transition", lambda *_, **__: None)
        assert app.redeem(code).refusal == (400, "invalid_grant")
    assert local.admin.entries("token.issued") == []
    assert app.redeem(code).status == 200


def test_an_approval_for_a_deleted_resource_is_invalid(browser, ana, app, local):
    """The reason is `resource_deleted`, and the request has no current risk."""
    approval, _ = approved(browser, ana, app)
    at_deleted_resource = replace(approval, resource="https://gone.example")
    with local.services.store.write() as tx:
        checks = local.site.approvals.checks
        assert (
            checks.invalid_reason(tx, at_deleted_resource),
            checks.current_risk(tx, at_deleted_resource),
        ) == (
            "resource_deleted",
            None,
        )
        assert checks.invalid_reason(tx, approval) is None


def test_an_app_limited_to_other_action_types_is_refused(browser, ana, app, local):
    """RA-15: the limit is checked at the request and again before a token is issued."""
    _, code = approved(browser, ana, app)
    local.admin.apps.update(app.id, AppChanges(action_types=()), by=BY)
    assert app.redeem(code).refusal == (400, "invalid_grant")
    assert browser.authorize(app.id, **PAYS).answer["error"] == "invalid_authorization_details"
    changes = AppChanges(action_types=("payment.transfer",))
    local.admin.apps.update(app.id, changes, by=BY)
    assert "Pay EUR" in browser.authorize(app.id, **PAYS).text


def test_denying_on_the_page_withdraws_an_approval_on_the_device(browser, ana, app, local):
    """The app gets access_denied, and the approval is canceled."""
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    (approval,) = pending_approvals(ana)
    page = browser.page
    assert ana.approve(approval.id).status == 200
    browser.page = page
    assert browser.answer("deny").answer["error"] == "access_denied"
    assert local.stored_approval(approval.id).state == "cancelled"


def test_denying_one_of_two_requests_withdraws_the_other(browser, ana, agent, app, local):
    """The other request is withdrawn even if it was approved."""
    browser.authorize(app.id, **PAYS, requested_actor=agent.id)
    browser.answer("allow")
    approvals = {approval.kind: approval for approval in pending_approvals(ana)}
    assert ana.approve(approvals["app_action"].id).status == 200
    assert ana.deny(approvals["consent"].id).status == 200
    assert browser.again().answer["error"] == "access_denied"
    assert local.stored_approval(approvals["app_action"].id).state == "cancelled"


def test_a_sign_out_revokes_the_token_of_an_action(browser, ana, app, local, resource):
    """The action's token has no refresh token, but it depends on the sign-in too."""
    _, code = approved(browser, ana, app)
    token = app.redeem(code).json["access_token"]
    assert resource.introspect(token).json["active"]
    local.site.sign_in.sign_ins.sign_out(browser.http.cookies["sayso"])

    assert not resource.introspect(token).json["active"]


@pytest.mark.parametrize("in_use", [True, False])
def test_the_token_of_an_action_depends_only_on_consents_to_its_openid_scopes(
    browser, ana, app, local, resource, in_use
):
    """Revoking the consent to the resource leaves the token, which the person signed, active."""
    browser.authorize(app.id, scope="openid payments:transfer", resource=PAY)
    browser.answer("allow")
    ana.approve(pending_approvals(ana)[0].id)
    assert "code" in browser.again().answer
    _, code = approved(browser, ana, app)
    token = app.redeem(code).json["access_token"]
    about = local.site.consents.server_policy.userinfo_audience if in_use else PAY
    with local.services.store.write() as tx:
        consent = tx.consents.live(ana.user.id, app.id, about, tx.now)
        revoke_consent(tx, consent, actor=BY, cause="revoked")

    assert resource.introspect(token).json["active"] is not in_use
