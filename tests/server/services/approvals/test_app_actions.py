"""What an app asks a person to let it do once: on the page, on the device, in the token."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from server.protocol.names import ACR_PASSWORD, ACR_SIGNED_PIN, GRANT_CIBA, GRANT_TOKEN_EXCHANGE
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.app_forms import AppChanges
from server.services.resources.resources import ResourceChanges
from server.services.tokens.grants.authorization_code import _GONE
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
    """Somebody with a device."""
    return person


@pytest.fixture
def app(local):
    """A shop front."""
    return new_app(local, "shop")


@pytest.fixture
def browser(person, app, local):
    """Her browser; she is signed in, and the shop knows who she is."""
    give_password(local, person.user.name)
    browser = new_browser(local)
    browser.authorize(app.id)
    browser.sign_in("ana")
    assert "code" in browser.answer("allow").answer
    return browser


def waiting(person):
    """What waits on her device."""
    items = person.call("GET", "/api/approvals").json["items"]
    return [person.local.stored(item["id"]) for item in items]


def signed(browser, ana, app, **parameters):
    """She says yes on the page and on her device; the approval, and the code."""
    page = browser.authorize(app.id, **{**PAYS, **parameters})
    assert page.forms[0].buttons == ["deny", "allow"]
    browser.answer("allow")
    (approval,) = waiting(ana)
    assert ana.approve(approval.id).status == 200
    return approval, browser.again().answer["code"]


def test_the_page_says_what_would_be_done(browser, app):
    """In the words of the type: headline, every value, the risk; and for once."""
    page = browser.authorize(app.id, **PAYS)
    assert "Allow this for" in page.text
    assert "Pay EUR 4,820.00 to Nordwind Logistik GmbH" in page.text
    for shown in ("EUR 4,820.00", "payment.transfer", "payments:transfer", "high risk", PAY):
        assert shown in page.text
    assert "You will be asked again next time." in page.text


def test_hostile_text_in_details_is_no_markup_on_the_page(browser, app):
    """RA-16."""
    details = [{**PAYMENT_DETAILS[0], "payee": "<b>x</b>\u202e{{ 7*7 }}"}]
    page = browser.authorize(app.id, **PAYS | {"authorization_details": json.dumps(details)})
    assert "<b>x" not in page.text
    assert "&lt;b&gt;x&lt;/b&gt;" in page.text
    assert "\u202e" not in page.text


def test_the_device_signs_the_same_and_that_an_app_asks(browser, ana, app):
    """Its own kind, high risk, the PIN; no consent is in it, and no end."""
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    (approval,) = waiting(ana)
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


def test_a_yes_gives_one_token_with_what_was_signed(browser, ana, app, local, resource):
    """RA-11, RA-13: in the answer, in the token, at introspection; and no refresh token."""
    approval, code = signed(browser, ana, app)
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
    told = resource.introspect(answer.json["access_token"]).json
    assert (told["active"], told["authorization_details"]) == (True, PAYMENT_DETAILS)
    assert local.stored(approval.id).state == "redeemed"
    assert local.claims(answer.json["id_token"], "JWT")["acr"] == ACR_PASSWORD
    given, issued = local.desk.entries("grant.given")[-1], local.desk.entries("token.issued")[-1]
    assert given["approval_id"] == issued["approval_id"] == approval.id
    with local.services.store.read() as view:
        assert view.consents.live(ana.user.id, app.id, PAY, view.now) is None


def test_the_next_time_she_is_asked_again(browser, ana, app):
    """No consent is remembered; a consent to the scope does not answer for the action."""
    _, code = signed(browser, ana, app)
    assert app.redeem(code).status == 200
    browser.authorize(app.id, scope="openid payments:transfer", resource=PAY)
    browser.answer("allow")
    ana.approve(waiting(ana)[0].id)
    assert "code" in browser.again().answer
    assert "Pay EUR" in browser.authorize(app.id, **PAYS).text
    assert browser.authorize(app.id, **PAYS, prompt="none").answer["error"] == "consent_required"
    assert waiting(ana) == []


def test_a_code_is_good_for_one_token(browser, ana, app, local):
    """Together or one after the other; and what comes back ends the token."""
    _, code = signed(browser, ana, app)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: app.redeem(code), range(2)))
    assert sorted(answer.status for answer in answers) == [200, 400]
    assert len(local.desk.entries("token.issued")) == 1


def test_a_no_on_the_device_is_told_to_the_app(browser, ana, app):
    """`access_denied`; nothing was given."""
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    ana.deny(waiting(ana)[0].id)
    assert browser.again().answer["error"] == "access_denied"


def test_nobody_answers_in_time(browser, ana, app, local):
    """The request ends, and the app is told; so it is where she signed and nobody went on."""
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    local.clock.forward(10 * MINUTE + 1)
    assert "in time" in browser.again().answer["error_description"]
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    ana.refresh()
    ana.approve(waiting(ana)[0].id)
    local.clock.forward(11 * MINUTE)
    local.services.sweeper.round()
    assert "in time" in browser.again().answer["error_description"]


def test_details_alone_are_enough(browser, ana, app, local):
    """RFC 9396 3: no scope, no ID token; without a resource it is the app's only one."""
    _, code = signed(browser, ana, app, scope=None, resource=None)
    answer = app.redeem(code).json
    claims = local.claims(answer["access_token"])
    assert (claims["aud"], claims["authorization_details"]) == (PAY, PAYMENT_DETAILS)
    assert "scope" not in claims
    assert answer.keys().isdisjoint({"id_token", "scope"})


def test_several_objects_are_all_shown_and_all_granted(browser, ana, app):
    """RA-09."""
    details = [PAYMENT_DETAILS[0], {**PAYMENT_DETAILS[0], "payee": "Sued GmbH"}]
    sent = json.dumps(details)
    assert "and 1 more" in browser.authorize(app.id, **PAYS | {"authorization_details": sent}).text
    _, code = signed(browser, ana, app, authorization_details=sent)
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
def test_details_that_no_type_accepts_are_refused(browser, app, ana, local, details):
    """RA-01 to RA-08: the app is told so, by the browser and when it pushes; nobody is asked."""
    answer = browser.authorize(app.id, **PAYS | {"authorization_details": details}).answer
    assert (answer["error"], answer["state"]) == ("invalid_authorization_details", "s t/8")
    form = request_of(app.id, **PAYS | {"authorization_details": details})
    pushed = local.post_form("/par", {**form, **app.credentials})
    assert pushed.refusal == (400, "invalid_authorization_details")
    assert waiting(ana) == []


def test_a_scope_that_needs_a_type_needs_it_here(browser, app, ana, local):
    """Another type, or none, is not enough; with it she is asked."""
    changes = ResourceChanges(requires={"payments:transfer": "payment.transfer"})
    local.desk.resources.update(PAY, changes, by=BY)
    answer = browser.authorize(app.id, **PAYS | {"authorization_details": None}).answer
    assert answer["error"] == "invalid_authorization_details"
    _, code = signed(browser, ana, app)
    assert app.redeem(code).status == 200


def test_what_is_critical_needs_two_people(browser, app, ana, local):
    """As at the backchannel endpoint: refused before anybody is asked."""
    local.desk.actions.update(json.dumps({**PAYMENT, "risk": "critical"}), by=BY)
    assert browser.authorize(app.id, **PAYS).answer["error"] == "access_denied"
    assert waiting(ana) == []


def test_a_pushed_request_carries_them(browser, ana, app, local):
    """RFC 9126, RFC 9396 12: the browser carries nothing of it."""
    pushed = local.post_form("/par", {**request_of(app.id, **PAYS), **app.credentials}).json
    page = browser.open(f"/authorize?client_id={app.id}&request_uri={pushed['request_uri']}")
    assert "Pay EUR 4,820.00" in page.text
    browser.answer("allow")
    ana.approve(waiting(ana)[0].id)
    code = browser.again().answer["code"]
    assert app.redeem(code).json["authorization_details"] == PAYMENT_DETAILS


def test_a_code_is_redeemed_for_what_was_signed(browser, ana, app):
    """RA-12: naming the same is allowed; else it is refused, and the code is as good as before."""
    _, code = signed(browser, ana, app)
    other = json.dumps([{**PAYMENT_DETAILS[0], "payee": "Sued GmbH"}])
    for sent in (other, "[", "[]", json.dumps([*PAYMENT_DETAILS, *PAYMENT_DETAILS])):
        answer = app.redeem(code, authorization_details=sent)
        assert answer.refusal == (400, "invalid_authorization_details")
    assert app.redeem(code, authorization_details=DETAILS).status == 200


def test_a_code_without_details_gives_none(browser, app):
    """Whatever is asked for at the token endpoint; nor does a refresh token."""
    code = browser.authorize(app.id).answer["code"]
    refused = app.redeem(code, authorization_details=DETAILS)
    assert refused.refusal == (400, "invalid_authorization_details")
    token = app.redeem(code).json["refresh_token"]
    refused = app.refresh(token, authorization_details=DETAILS)
    assert refused.refusal == (400, "invalid_authorization_details")


def _riskier(local, _app):
    local.desk.actions.update(json.dumps({**PAYMENT, "risk": "critical"}), by=BY)


def _out_of_reach(local, app):
    local.desk.apps.update(app.id, AppChanges(scopes=("payments:read",)), by=BY)


def _no_type(local, _app):
    local.desk.actions.delete("payment.transfer", by=BY)


@pytest.mark.parametrize("tighten", [_riskier, _out_of_reach, _no_type])
def test_whatever_was_tightened_meanwhile_wins(browser, ana, app, local, tighten):
    """Before the code, and between the code and the token."""
    _, code = signed(browser, ana, app)
    tighten(local, app)
    answer = app.redeem(code)
    assert answer.refusal == (400, "invalid_grant")
    assert answer.json["error_description"] == _GONE


def _no_user(local, _app):
    local.desk.users.disable("ana", by=BY)


def _no_resource(local, _app):
    local.desk.resources.delete(PAY, by=BY)


def _no_app(local, app):
    local.desk.apps.update(app.id, AppChanges(enabled=False), by=BY)


@pytest.mark.parametrize("stop", [_no_user, _no_resource, _no_app])
def test_who_is_stopped_gets_nothing_of_what_was_signed(browser, ana, app, local, stop):
    """Person, resource and app have to be there when the token is made."""
    _, code = signed(browser, ana, app)
    stop(local, app)
    assert app.redeem(code).status in {400, 401}
    assert local.desk.entries("token.issued") == []


@pytest.mark.parametrize(
    ("stop", "reason"),
    [(_no_app, "agent_disabled"), (_riskier, "policy_changed"), (_no_type, "policy_changed")],
)
def test_a_yes_to_what_may_not_be_had_any_more_is_refused(browser, ana, app, local, stop, reason):
    """On the device, before anything is given; the request ends with its reason."""
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    (approval,) = waiting(ana)
    stop(local, app)
    assert ana.approve(approval.id).status == 409
    after = local.stored(approval.id)
    assert (after.state, after.reason) == ("cancelled", reason)


def test_the_resource_spends_it_once(browser, ana, app, resource):
    """Decision and token say the same; another payment is not what was granted."""
    _, code = signed(browser, ana, app)
    token = app.redeem(code).json["access_token"]
    other = [{**PAYMENT_DETAILS[0], "payee": "Sued GmbH"}]
    refused = resource.consume(token, authorization_details=other)
    assert (refused.status, refused.json["code"]) == (403, "not_granted")
    assert resource.consume(token, "run-1", authorization_details=PAYMENT_DETAILS).status == 200
    again = resource.consume(token, "run-2", authorization_details=PAYMENT_DETAILS)
    assert (again.status, again.json["code"]) == (409, "already_consumed")


def test_an_agent_asks_for_its_own_actions(browser, ana, agent, app, local):
    """RA-20: what she signed for the app lets no agent do it; it gets scopes at the most."""
    ways = (GRANT_CIBA, GRANT_TOKEN_EXCHANGE)
    local.desk.agents.update(agent.id, AgentChanges(grant_types=ways, serves=(PAY,)), by=BY)
    browser.authorize(app.id, **PAYS, requested_actor=agent.id)
    browser.answer("allow")
    first, second = waiting(ana)
    assert {first.kind, second.kind} == {"consent", "app_action"}
    for one in (first, second):
        assert ana.approve(one.id).status == 200
    token = app.redeem(browser.again().answer["code"]).json["access_token"]
    asked = {
        "grant_type": GRANT_TOKEN_EXCHANGE,
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "resource": PAY,
        "scope": "payments:transfer",
        **agent.credentials,
    }
    refused = local.post_form("/token", {**asked, "authorization_details": DETAILS})
    assert refused.refusal == (400, "interaction_required")
    wider = local.post_form("/token", {**asked, "scope": "payments:read"})
    assert wider.status == 400


def test_somebody_without_a_device_is_told_what_to_do(app, local):
    """The page stays; there is nothing to press that could not be meant."""
    local.desk.users.update("admin", UserChanges(email="admin@example.com"), by=BY)
    give_password(local, "admin")
    browser = new_browser(local)
    browser.authorize(app.id, **PAYS)
    page = browser.sign_in("admin")
    assert page.forms[0].buttons == ["deny"]
    assert "Enrol one first" in browser.answer("allow").text


def test_repeated_denials_pause_the_app(browser, ana, app, local):
    """Like those of an agent: for half an hour this type is not asked for."""
    for _ in range(local.services.rules.denials_before_pause):
        browser.authorize(app.id, **PAYS)
        browser.answer("allow")
        ana.deny(waiting(ana)[0].id)
        browser.again()
    browser.authorize(app.id, **PAYS)
    page = browser.answer("allow")
    assert (page.status, "denied this repeatedly" in page.text) == (403, True)


def test_the_address_is_the_apps_own(browser, ana, app):
    """The code goes where codes of this app go."""
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    ana.approve(waiting(ana)[0].id)
    assert browser.again().url.startswith(CALLBACK)


def test_only_the_step_that_redeems_it_lets_a_token_be_made(browser, ana, app, local, monkeypatch):
    """Something else was faster: no token, and the code is not used up by it."""
    _, code = signed(browser, ana, app)
    with monkeypatch.context() as faster:
        faster.setattr(Approvals, "transition", lambda *_, **__: None)
        assert app.redeem(code).refusal == (400, "invalid_grant")
    assert local.desk.entries("token.issued") == []
    assert app.redeem(code).status == 200


def test_what_was_signed_for_a_resource_that_is_gone_is_over(browser, ana, app, local):
    """Whatever else still stands."""
    approval, _ = signed(browser, ana, app)
    gone = replace(approval, resource="https://gone.example")
    with local.services.store.write() as tx:
        checks = local.site.approvals.checks
        assert (checks.invalid_reason(tx, gone), checks.current_risk(tx, gone)) == (
            "resource_deleted",
            None,
        )
        assert checks.invalid_reason(tx, approval) is None


def test_an_app_that_is_held_to_other_types_is_refused(browser, ana, app, local):
    """RA-15: at the request, and again before the token; one that is let go on may."""
    _, code = signed(browser, ana, app)
    local.desk.apps.update(app.id, AppChanges(action_types=()), by=BY)
    assert app.redeem(code).refusal == (400, "invalid_grant")
    assert browser.authorize(app.id, **PAYS).answer["error"] == "invalid_authorization_details"
    changes = AppChanges(action_types=("payment.transfer",))
    local.desk.apps.update(app.id, changes, by=BY)
    assert "Pay EUR" in browser.authorize(app.id, **PAYS).text


def test_a_yes_on_the_device_is_taken_back_with_a_no_on_the_page(browser, ana, app, local):
    """Until the browser goes on nothing was given; the app is told no."""
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    (approval,) = waiting(ana)
    page = browser.page
    assert ana.approve(approval.id).status == 200
    browser.page = page
    assert browser.answer("deny").answer["error"] == "access_denied"
    assert local.stored(approval.id).state == "cancelled"


def test_a_no_to_one_of_two_takes_back_the_yes_to_the_other(browser, ana, agent, app, local):
    """The app gets nothing, and what was signed for it is over."""
    browser.authorize(app.id, **PAYS, requested_actor=agent.id)
    browser.answer("allow")
    found = {one.kind: one for one in waiting(ana)}
    assert ana.approve(found["app_action"].id).status == 200
    assert ana.deny(found["consent"].id).status == 200
    assert browser.again().answer["error"] == "access_denied"
    assert local.stored(found["app_action"].id).state == "cancelled"
