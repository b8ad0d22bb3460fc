"""A code becomes tokens, once."""

from urllib.parse import urlencode

import pytest

from approver_tui.client.jose import SigningKey
from server.services.clients.app_forms import AppChanges
from server.services.resources.resources import ResourceChanges
from server.services.sign_in.flows import CODE_MS
from tests.support.browsers.browser import CALLBACK, request_of
from tests.support.builders.app_users import new_app
from tests.support.builders.installation import BY, PAY

GONE = (400, "invalid_grant")


@pytest.fixture
def app(local):
    """A chat front end with a secret."""
    return new_app(local)


def test_a_code_gives_what_was_allowed(app, code_for, local):
    """Access, ID and refresh token; the delegation stands on its consent."""
    answer = app.redeem(code_for(app, scope="openid payments:read", resource=PAY)).json
    assert (answer["token_type"], answer["scope"]) == ("Bearer", "openid payments:read")
    claims = local.claims(answer["access_token"])
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 300
    with local.services.store.read() as view:
        row = view.delegations.get(claims["jti"])
        consent = view.consents.live(row.user_id, app.id, PAY, view.now)
    assert (row.consent_id, row.client_id, row.parent_id) == (consent.id, app.id, None)
    (entry,) = local.desk.entries("token.issued")
    assert entry["actor"] == f"app:{app.id}"


def test_without_openid_there_is_no_id_token(app, code_for):
    """And an app without the refresh grant gets no refresh token."""
    answer = app.redeem(code_for(app, scope="payments:read")).json
    assert "id_token" not in answer
    plain = new_app(app.local, "plain", grant_types=("authorization_code",))
    assert "refresh_token" not in plain.redeem(code_for(plain)).json


def test_a_code_that_comes_back_ends_what_came_of_it(app, code_for, local):
    """BC-15: tokens of the first use are revoked, and somebody is told."""
    code = code_for(app)
    first = app.redeem(code).json
    assert app.userinfo(first["access_token"]).status == 200
    assert app.redeem(code).refusal == GONE
    assert app.userinfo(first["access_token"]).status == 401
    assert app.refresh(first["refresh_token"]).refusal == GONE
    (entry,) = local.desk.entries("grant.reused")
    assert (entry["cause"], entry["facts"]["app"]) == ("authorization code", app.id)
    plain = new_app(local, "plain", grant_types=("authorization_code",))
    code = code_for(plain)
    token = plain.redeem(code).json["access_token"]
    plain.redeem(code)
    assert plain.userinfo(token).status == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "sayso_ac_none"},
        {"redirect_uri": CALLBACK + "/"},
        {"code_verifier": "another-verifier-of-more-than-forty-three-chars"},
    ],
)
def test_a_code_is_for_its_address_and_its_verifier(app, code_for, changes):
    """NG-100; and a try in vain does not use it up."""
    code = code_for(app)
    assert app.redeem(**{"code": code, **changes}).refusal == GONE
    assert app.redeem(code).status == 200


@pytest.mark.parametrize("missing", ["code", "redirect_uri", "code_verifier"])
def test_nothing_of_it_is_optional(app, code_for, missing):
    """A missing parameter is an error, never "absent"."""
    asked = {"code": code_for(app), missing: None}
    assert app.redeem(**asked).refusal == (400, "invalid_request")


def test_a_code_is_for_its_own_app(app, code_for, local, agent):
    """NG-102; the app it belongs to can still use it."""
    code = code_for(app)
    other = new_app(local, "console")
    assert other.redeem(code).refusal == GONE
    asked = {"grant_type": "authorization_code", "code": code, **agent.credentials}
    assert local.post_form("/token", asked).refusal == (400, "unauthorized_client")
    assert app.redeem(code).status == 200


def test_a_code_lives_for_a_minute(app, code_for, local):
    """To the millisecond."""
    code, late = code_for(app), code_for(app)
    local.clock.forward(CODE_MS - 1)
    assert app.redeem(code).status == 200
    local.clock.forward(1)
    assert app.redeem(late).refusal == GONE


def test_a_resource_may_be_named_again_and_no_other(app, code_for):
    """RFC 8707 2.2."""
    code = code_for(app, scope="payments:read", resource=PAY)
    assert app.redeem(code, resource="https://x.example").refusal == (400, "invalid_target")
    assert app.redeem(code, resource=PAY).status == 200


def _stop_user(local, _app):
    local.desk.users.disable("ana", by=BY)


def _narrow_app(local, app):
    local.desk.apps.update(app.id, AppChanges(scopes=("payments:transfer",)), by=BY)


def _need_an_action(local, _app):
    changes = ResourceChanges(requires={"payments:read": "payment.transfer"})
    local.desk.resources.update(PAY, changes, by=BY)


def _take_back(local, _app):
    for given in local.site.consents.search(user=None, client=None, ended=False):
        local.site.consents.revoke(given.consent.id, by=BY)


def _stop_agent(local, _app):
    local.desk.agents.disable("invoice-bot", by=BY)


@pytest.mark.parametrize(
    "change", [_stop_user, _narrow_app, _need_an_action, _take_back, _stop_agent]
)
def test_what_was_tightened_meanwhile_wins(agent, app, code_for, local, change):
    """The person, the ceiling, the action type, the consent, the agent."""
    asked = {"scope": "openid payments:read", "resource": PAY, "requested_actor": agent.id}
    code = code_for(app, **asked)
    change(local, app)
    assert app.redeem(code).refusal == GONE


def test_a_deleted_agent_may_not_act(agent, app, code_for, local):
    """It is not there to be named."""
    code = code_for(app, scope="payments:read", resource=PAY, requested_actor=agent.id)
    local.desk.agents.delete("invoice-bot", by=BY)
    assert app.redeem(code).refusal == GONE


def test_a_stopped_app_redeems_nothing(app, code_for, local):
    """Its state counts first."""
    code = code_for(app)
    local.desk.apps.update(app.id, AppChanges(enabled=False), by=BY)
    assert app.redeem(code).refusal == (400, "unauthorized_client")


def test_a_code_may_be_for_one_key(app, code_for, local, proof):
    """DP-37, RFC 9449 10: without its proof it is worth nothing."""
    key, other = SigningKey.generate(), SigningKey.generate()
    code = code_for(app, dpop_jkt=key.thumbprint)
    assert app.redeem(code).refusal == GONE
    assert app.redeem(code, proofs=[proof(other)]).refusal == GONE
    answer = app.redeem(code, proofs=[proof(key)]).json
    assert answer["token_type"] == "DPoP"
    assert local.claims(answer["access_token"])["cnf"] == {"jkt": key.thumbprint}


def test_a_pushed_request_may_be_for_the_key_that_is_proved_with_it(app, browser, local, proof):
    """DP-37, RFC 9449 10.1: the code is for that key; a dpop_jkt that names another is refused."""
    key, other = SigningKey.generate(), SigningKey.generate()
    form = {**request_of(app.id), **app.credentials}

    def push(**changes):
        return local.post_form("/par", {**form, **changes}, proofs=[proof(key, "/par")])

    assert push(dpop_jkt=other.thumbprint).refusal == (400, "invalid_dpop_proof")
    at_token = local.post_form("/par", form, proofs=[proof(key)])
    assert at_token.refusal == (400, "invalid_dpop_proof")
    for named in (None, key.thumbprint):
        uri = push(dpop_jkt=named).json["request_uri"]
        page = browser.open("/authorize?" + urlencode({"client_id": app.id, "request_uri": uri}))
        page = browser.sign_in("ana") if "password" in page.text else page
        code = (browser.answer("allow") if page.forms else page).answer["code"]
        assert app.redeem(code, proofs=[proof(other)]).refusal == GONE
        assert app.redeem(code, proofs=[proof(key)]).json["token_type"] == "DPoP"


def test_an_app_that_binds_its_tokens_gets_no_others(code_for, local, proof):
    """NG-088."""
    app = new_app(local, "bound", dpop_bound=True)
    code = code_for(app)
    assert app.redeem(code).refusal == (400, "invalid_dpop_proof")
    key = SigningKey.generate()
    assert app.redeem(code, proofs=[proof(key)]).json["token_type"] == "DPoP"


def test_id_tokens_are_signed_as_the_app_registered(code_for, local):
    """EdDSA's hash of the access token is another one."""
    app = new_app(local, "signer", id_token_alg="EdDSA")
    claims = local.claims(app.redeem(code_for(app)).json["id_token"], "JWT")
    assert len(claims["at_hash"]) == 43


def test_what_the_id_token_says_of_a_person(app, code_for, local):
    """With a token for a resource nobody can ask at /userinfo, so it says it all."""
    asked = {"scope": "openid profile payments:read", "resource": PAY}
    claims = local.claims(app.redeem(code_for(app, **asked)).json["id_token"], "JWT")
    assert claims["name"] == "ana"
    wanted = '{"id_token":{"preferred_username":null}}'
    claims = local.claims(app.redeem(code_for(app, claims=wanted)).json["id_token"], "JWT")
    assert (claims["preferred_username"], "name" in claims) == ("ana", False)
