"""The authorization code grant at the token endpoint."""

from urllib.parse import urlencode

import pytest

from approver_tui.client.jose import SigningKey
from server.services.clients.app_forms import AppChanges
from server.services.resources.resources import ResourceChanges
from server.services.sign_in.flows import CODE_MS
from tests.support.browsers.browser import CALLBACK, request_of
from tests.support.builders.app_users import new_app
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import ISSUER

INVALID_GRANT = (400, "invalid_grant")


def test_a_code_is_redeemed_for_the_allowed_tokens(app, code_for, local):
    """The app gets the allowed scopes; the delegation refers to the consent."""
    answer = app.redeem(code_for(app, scope="openid payments:read", resource=PAY)).json
    assert (answer["token_type"], answer["scope"]) == ("Bearer", "openid payments:read")
    claims = local.claims(answer["access_token"])
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 300
    with local.services.store.read() as view:
        row = view.delegations.get(claims["jti"])
        consent = view.consents.live(row.user_id, app.id, PAY, view.now)
    assert (row.consent_id, row.client_id, row.parent_id) == (consent.id, app.id, None)
    (entry,) = local.admin.entries("token.issued")
    assert entry["actor"] == f"app:{app.id}"


def test_an_id_token_needs_openid_and_a_refresh_token_needs_the_refresh_grant(app, code_for):
    """The scope openid is in the request, and the refresh grant in the app's registration."""
    answer = app.redeem(code_for(app, scope="payments:read")).json
    assert "id_token" not in answer
    app_without_refresh = new_app(app.local, "plain", grant_types=("authorization_code",))
    assert "refresh_token" not in app_without_refresh.redeem(code_for(app_without_refresh)).json


def test_reusing_a_code_revokes_its_tokens(app, code_for, local):
    """BC-15: the code's tokens are revoked, and the reuse writes an audit entry."""
    code = code_for(app)
    first = app.redeem(code).json
    assert app.userinfo(first["access_token"]).status == 200
    assert app.redeem(code).refusal == INVALID_GRANT
    assert app.userinfo(first["access_token"]).status == 401
    assert app.refresh(first["refresh_token"]).refusal == INVALID_GRANT
    (entry,) = local.admin.entries("grant.reused")
    assert (entry["cause"], entry["facts"]["app"]) == ("authorization code", app.id)
    app_without_refresh = new_app(local, "plain", grant_types=("authorization_code",))
    code = code_for(app_without_refresh)
    token = app_without_refresh.redeem(code).json["access_token"]
    app_without_refresh.redeem(code)
    assert app_without_refresh.userinfo(token).status == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "sayso_ac_none"},
        {"redirect_uri": CALLBACK + "/"},
        {"code_verifier": "another-verifier-of-more-than-forty-three-chars"},
    ],
)
def test_a_code_needs_its_redirect_uri_and_code_verifier(app, code_for, changes):
    """NG-100: a wrong value is refused, but does not use up the code."""
    code = code_for(app)
    assert app.redeem(**{"code": code, **changes}).refusal == INVALID_GRANT
    assert app.redeem(code).status == 200


@pytest.mark.parametrize("missing", ["code", "redirect_uri", "code_verifier"])
def test_every_parameter_is_required(app, code_for, missing):
    """A request without one of these parameters is invalid."""
    form = {"code": code_for(app), missing: None}
    assert app.redeem(**form).refusal == (400, "invalid_request")


def test_a_code_belongs_to_its_app(app, code_for, local, agent):
    """NG-102: other clients cannot redeem the code; its own app still can."""
    code = code_for(app)
    other = new_app(local, "console")
    assert other.redeem(code).refusal == INVALID_GRANT
    form = {"grant_type": "authorization_code", "code": code, **agent.credentials}
    assert local.post_form("/token", form).refusal == (400, "unauthorized_client")
    assert app.redeem(code).status == 200


def test_a_code_is_valid_for_a_minute(app, code_for, local):
    """A code works until the last millisecond of its minute, and not afterwards."""
    code, late_code = code_for(app), code_for(app)
    local.clock.forward(CODE_MS - 1)
    assert app.redeem(code).status == 200
    local.clock.forward(1)
    assert app.redeem(late_code).refusal == INVALID_GRANT


def test_the_resource_may_be_repeated_but_not_changed(app, code_for):
    """RFC 8707 2.2: the resource of the code is accepted, a different one is refused."""
    code = code_for(app, scope="payments:read", resource=PAY)
    assert app.redeem(code, resource="https://x.example").refusal == (400, "invalid_target")
    assert app.redeem(code, resource=PAY).status == 200


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_code_for_userinfo_accepts_the_resource_of_its_request(app, code_for, slash):
    """The refresh token accepts the resource too, with or without a trailing slash."""
    userinfo = f"{ISSUER}/userinfo{slash}"
    code = code_for(app, scope="openid", resource=userinfo)
    assert app.redeem(code, resource=PAY).refusal == (400, "invalid_target")
    answer = app.redeem(code, resource=userinfo)
    assert answer.status == 200, answer.json
    assert app.refresh(answer.json["refresh_token"], resource=userinfo).status == 200


def _disable_user(local, _app):
    local.admin.users.disable("ana", by=BY)


def _narrow_app(local, app):
    local.admin.apps.update(app.id, AppChanges(scopes=("payments:transfer",)), by=BY)


def _require_an_action_type(local, _app):
    changes = ResourceChanges(requires={"payments:read": "payment.transfer"})
    local.admin.resources.update(PAY, changes, by=BY)


def _revoke_consents(local, _app):
    for named_consent in local.site.consents.search(user=None, client=None, ended=False):
        local.site.consents.revoke(named_consent.consent.id, by=BY)


def _disable_agent(local, _app):
    local.admin.agents.disable("invoice-bot", by=BY)


@pytest.mark.parametrize(
    "change",
    [_disable_user, _narrow_app, _require_an_action_type, _revoke_consents, _disable_agent],
)
def test_a_code_is_refused_after_a_restrictive_change(agent, app, code_for, local, change):
    """The user, permissions, action type, consents and actor are checked again."""
    parameters = {"scope": "openid payments:read", "resource": PAY, "requested_actor": agent.id}
    code = code_for(app, **parameters)
    change(local, app)
    assert app.redeem(code).refusal == INVALID_GRANT


def test_a_code_is_refused_if_its_requested_actor_was_deleted(agent, app, code_for, local):
    """The error is invalid_grant, as for a disabled actor."""
    code = code_for(app, scope="payments:read", resource=PAY, requested_actor=agent.id)
    local.admin.agents.delete("invoice-bot", by=BY)
    assert app.redeem(code).refusal == INVALID_GRANT


def test_a_disabled_app_cannot_redeem_a_code(app, code_for, local):
    """A disabled app gets unauthorized_client, because the app is checked first."""
    code = code_for(app)
    local.admin.apps.update(app.id, AppChanges(enabled=False), by=BY)
    assert app.redeem(code).refusal == (400, "unauthorized_client")


def test_a_code_may_be_bound_to_a_key(app, code_for, local, proof):
    """DP-37, RFC 9449 10: only a proof of that key redeems the code."""
    key, other = SigningKey.generate(), SigningKey.generate()
    code = code_for(app, dpop_jkt=key.thumbprint)
    assert app.redeem(code).refusal == INVALID_GRANT
    assert app.redeem(code, proofs=[proof(other)]).refusal == INVALID_GRANT
    answer = app.redeem(code, proofs=[proof(key)]).json
    assert answer["token_type"] == "DPoP"
    assert local.claims(answer["access_token"])["cnf"] == {"jkt": key.thumbprint}


def test_a_pushed_request_with_a_proof_binds_the_code(app, browser, local, proof):
    """DP-37, RFC 9449 10.1: dpop_jkt must be the key of the proof, which binds the code."""
    key, other = SigningKey.generate(), SigningKey.generate()
    form = {**request_of(app.id), **app.credentials}

    def push(**changes):
        return local.post_form("/par", {**form, **changes}, proofs=[proof(key, "/par")])

    assert push(dpop_jkt=other.thumbprint).refusal == (400, "invalid_dpop_proof")
    wrong_url = local.post_form("/par", form, proofs=[proof(key)])
    assert wrong_url.refusal == (400, "invalid_dpop_proof")
    for dpop_jkt in (None, key.thumbprint):
        uri = push(dpop_jkt=dpop_jkt).json["request_uri"]
        page = browser.open("/authorize?" + urlencode({"client_id": app.id, "request_uri": uri}))
        page = browser.sign_in("ana") if "password" in page.text else page
        code = (browser.answer("allow") if page.forms else page).answer["code"]
        assert app.redeem(code, proofs=[proof(other)]).refusal == INVALID_GRANT
        assert app.redeem(code, proofs=[proof(key)]).json["token_type"] == "DPoP"


def test_an_app_that_requires_dpop_gets_only_bound_tokens(code_for, local, proof):
    """NG-088: such an app cannot redeem a code without a proof."""
    app = new_app(local, "bound", dpop_bound=True)
    code = code_for(app)
    assert app.redeem(code).refusal == (400, "invalid_dpop_proof")
    key = SigningKey.generate()
    assert app.redeem(code, proofs=[proof(key)]).json["token_type"] == "DPoP"


def test_id_tokens_are_signed_with_the_algorithm_of_the_app(code_for, local):
    """The length of at_hash shows that EdDSA was used."""
    app = new_app(local, "signer", id_token_alg="EdDSA")
    claims = local.claims(app.redeem(code_for(app)).json["id_token"], "JWT")
    assert len(claims["at_hash"]) == 43


def test_id_token_claims_follow_scopes_and_the_claims_parameter(app, code_for, local):
    """An app with a token for a resource cannot use userinfo, so the ID token has the claims."""
    parameters = {"scope": "openid profile payments:read", "resource": PAY}
    claims = local.claims(app.redeem(code_for(app, **parameters)).json["id_token"], "JWT")
    assert claims["name"] == "ana"
    claims_parameter = '{"id_token":{"preferred_username":null}}'
    claims = local.claims(
        app.redeem(code_for(app, claims=claims_parameter)).json["id_token"], "JWT"
    )
    assert (claims["preferred_username"], "name" in claims) == ("ana", False)
