"""The userinfo endpoint: which claims it returns, and which tokens it refuses."""

import pytest

from approver_tui.client.jose import SigningKey, dpop_proof
from server.model.tokens import Delegation
from server.services.clients.app_forms import AppChanges
from tests.support.builders.app_users import give_password, new_app, new_browser
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import ISSUER

REFUSED = (401, "invalid_token")


@pytest.fixture
def app(local):
    """A chat front end."""
    return new_app(local)


@pytest.fixture
def tokens(person, app, local):
    """Signs Ana in and returns the tokens of the app."""
    give_password(local, person.user.name)

    def get(proofs=(), **parameters):
        browser = new_browser(local)
        browser.authorize(app.id, **parameters)
        page = browser.sign_in("ana")
        if page.forms:
            browser.answer("allow")
            for item in person.call("GET", "/api/approvals").json["items"]:
                person.approve(item["id"])
            page = browser.page if not browser.page.forms else browser.again()
        return app.redeem(page.answer["code"], proofs=proofs).json

    return get


def test_userinfo_returns_only_requested_claims(app, tokens, person):
    """OpenID Connect Core 5.3: claims without a value are omitted."""
    token = tokens(scope="openid")["access_token"]
    assert app.userinfo(token).json == {"sub": person.user.id}
    claims = '{"userinfo":{"name":null,"email":null}}'
    token = tokens(claims=claims, prompt="consent")["access_token"]
    assert app.userinfo(token).json == {"sub": person.user.id, "name": "ana"}


def test_a_token_for_a_resource_is_refused(app, agent, tokens):
    """A token has one audience; a token that an agent got for itself is refused too."""
    token = tokens(scope="openid payments:read", resource=PAY)["access_token"]
    assert app.userinfo(token).refusal == REFUSED
    form = {"grant_type": "client_credentials", "scope": "payments:read", **agent.credentials}
    token = agent.local.post_form("/token", form).json["access_token"]
    assert app.userinfo(token).refusal == REFUSED


def test_a_missing_or_malformed_token_gets_a_challenge(app, local):
    """RFC 6750 3: the challenge names the scheme that the request used."""
    refused = local.send("GET", "/userinfo")
    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert app.userinfo("nonsense").refusal == REFUSED
    for scheme in ("Bearer", "DPoP"):
        refused = local.send("GET", "/userinfo", headers={"authorization": f"{scheme} nonsense"})
        assert refused.headers["WWW-Authenticate"].startswith(scheme)


def test_an_id_token_is_not_an_access_token(app, tokens):
    """AT-28: userinfo refuses an ID token."""
    assert app.userinfo(tokens()["id_token"]).refusal == REFUSED


def test_a_token_ends_with_its_lifetime_its_user_or_its_app(app, tokens, local):
    """NG-084: the next use of the token is refused, even after the app is enabled again."""
    token = tokens()["access_token"]
    local.admin.apps.update(app.id, AppChanges(enabled=False), by=BY)
    assert app.userinfo(token).refusal == REFUSED
    local.admin.apps.update(app.id, AppChanges(enabled=True), by=BY)
    assert app.userinfo(token).refusal == REFUSED
    token = tokens()["access_token"]
    local.clock.forward(300_000)
    assert app.userinfo(token).refusal == REFUSED
    token = tokens()["access_token"]
    local.admin.users.disable("ana", by=BY)
    assert app.userinfo(token).refusal == REFUSED


def test_a_bound_token_needs_a_proof_of_its_key(app, tokens, local):
    """NG-087, NG-109: GET and POST both need the proof."""
    key = SigningKey.generate()
    at = local.clock.now() // 1000
    proof = dpop_proof(key, method="POST", uri=f"{ISSUER}/token", at=at)
    token = tokens(proofs=[proof])["access_token"]

    def proven(method="GET", key_of_proof=key):
        members = {"method": method, "uri": f"{ISSUER}/userinfo", "at": at, "access_token": token}
        return (dpop_proof(key_of_proof, **members),)

    assert app.userinfo(token).refusal == REFUSED
    assert app.userinfo(token, "DPoP").status == 401
    assert app.userinfo(token, "DPoP", proven(key_of_proof=SigningKey.generate())).status == 401
    assert app.userinfo(token, "DPoP", proven("POST")).status == 401
    assert app.userinfo(token, "DPoP", proven()).status == 200
    headers = {"authorization": f"DPoP {token}"}
    posted = local.send("POST", "/userinfo", headers=headers, proofs=proven("POST"))
    assert posted.status == 200


def test_a_token_without_a_user_is_refused(agent, local):
    """The token of an agent that acts for itself has no user."""
    audience, now = f"{ISSUER}/userinfo", local.clock.now()
    claims = {"iss": ISSUER, "aud": audience, "jti": "t", "exp": now // 1000 + 60}
    with local.services.store.write() as tx:
        tx.delegations.add(Delegation("t", agent.id, None, audience, "openid", now, now + 60_000))
        keys = tx.directory.signing_keys()
    token = local.services.signer.sign(keys, "ES256", "at+jwt", claims)
    headers = {"authorization": f"Bearer {token}"}
    assert local.send("GET", "/userinfo", headers=headers).refusal == REFUSED


def test_revoking_the_consent_ends_its_tokens(app, tokens, local):
    """The consent to tell an app who the user is can be revoked like any other."""
    token = tokens()["access_token"]
    assert app.userinfo(token).status == 200
    (named_consent,) = local.site.consents.search(user=None, client=None, ended=False)
    assert named_consent.consent.resource == f"{ISSUER}/userinfo"
    local.site.consents.revoke(named_consent.consent.id, by=BY)
    assert app.userinfo(token).refusal == REFUSED
