"""Refresh tokens of apps: rotation, repeated calls, theft, and what ends a family."""

import pytest

from approver_tui.client.jose import SigningKey
from server.protocol.names import GRANT_REFRESH_TOKEN, handle_hash
from server.services.clients.app_forms import AppChanges
from server.services.tokens.app_issuing import IDLE_MS
from server.services.tokens.grants.app_refresh import GRACE_MS
from tests.support.builders.app_users import LocalApp, new_app
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import ISSUER

INVALID_GRANT = (400, "invalid_grant")
FULL_REQUEST = {"scope": "openid profile payments:read", "resource": PAY}


@pytest.fixture
def first(app, code_for):
    """The first refresh token."""
    return app.redeem(code_for(app, **FULL_REQUEST)).json["refresh_token"]


def test_each_refresh_returns_a_new_refresh_token(app, first, local):
    """BC-09, MC-06: auth_time is still the time of the sign-in."""
    second = app.refresh(first).json
    claims = local.claims(second["access_token"])
    assert (claims["aud"], claims["scope"]) == (PAY, "payments:read")
    local.clock.forward(GRACE_MS)
    third = app.refresh(second["refresh_token"]).json
    assert len({first, second["refresh_token"], third["refresh_token"]}) == 3
    id_claims = local.claims(third["id_token"], "JWT")
    assert id_claims["auth_time"] == claims["auth_time"]
    assert "nonce" not in id_claims


def test_a_refresh_may_be_repeated_for_a_minute(app, first, local):
    """NG-089: a repetition returns the same successor, so no second chain of tokens starts."""
    second = app.refresh(first).json["refresh_token"]
    local.clock.forward(GRACE_MS - 1)
    assert app.refresh(first).json["refresh_token"] == second
    assert app.refresh(second).status == 200


def test_a_later_reuse_ends_the_family_and_raises_an_alarm(app, first, local):
    """The access tokens of the family end too."""
    answer = app.refresh(first).json
    token = app.refresh(answer["refresh_token"], scope="openid").json
    local.clock.forward(GRACE_MS)
    assert app.userinfo(token["access_token"]).status == 200
    assert app.refresh(first).refusal == INVALID_GRANT
    assert app.userinfo(token["access_token"]).status == 401
    assert app.refresh(token["refresh_token"]).refusal == INVALID_GRANT
    (entry,) = local.admin.entries("grant.reused")
    assert entry["cause"] == "refresh token"
    assert "alarm.refresh_reused" in [message["event"] for message in local.messages()]


def test_a_reuse_after_the_successor_was_used_ends_the_family_immediately(app, first):
    """The app must have had the response, so a repetition counts as theft."""
    second = app.refresh(first).json["refresh_token"]
    third = app.refresh(second).json["refresh_token"]
    assert app.refresh(first).refusal == INVALID_GRANT
    assert app.refresh(third).refusal == INVALID_GRANT


def test_a_refresh_may_request_less_and_later_everything_again(app, first, local):
    """RFC 6749 6, RI-09: each refresh chooses a part of the grant, with one audience."""
    narrowed = app.refresh(first, scope="openid profile").json
    assert local.claims(narrowed["access_token"])["aud"] == f"{ISSUER}/userinfo"
    assert app.userinfo(narrowed["access_token"]).json["name"] == "ana"
    full = app.refresh(narrowed["refresh_token"]).json
    assert local.claims(full["access_token"])["aud"] == PAY
    userinfo_only = app.refresh(full["refresh_token"], resource=f"{ISSUER}/userinfo").json
    assert local.claims(userinfo_only["access_token"])["aud"] == f"{ISSUER}/userinfo"
    payments = app.refresh(userinfo_only["refresh_token"], resource=PAY).json
    assert payments["scope"] == "openid payments:read profile"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scope": "openid payments:transfer"}, "invalid_scope"),
        ({"scope": "openid email"}, "invalid_scope"),
        ({"resource": "https://x.example"}, "invalid_target"),
        ({"refresh_token": None}, "invalid_request"),
        ({"refresh_token": "sayso_rt_none"}, "invalid_grant"),
    ],
)
def test_a_refresh_for_more_is_refused_and_keeps_the_token(app, first, changes, code):
    """E2: a refused request does not use up the refresh token."""
    form = {"refresh_token": first, **changes}
    assert app.refresh(**form).refusal == (400, code)
    assert app.refresh(first).status == 200


def test_a_changed_refresh_token_is_refused(app, first):
    """NG-083: a changed token is refused, and the real one still works."""
    for wrong in (first[:-1], first + "a", first.upper()):
        assert app.refresh(wrong).refusal == INVALID_GRANT
    assert app.refresh(first).status == 200


def test_a_refresh_token_belongs_to_its_app(app, first, local, code_for):
    """Neither another app nor the terminal can use the token."""
    other = new_app(local, "console")
    others_token = other.redeem(code_for(other)).json["refresh_token"]
    assert other.refresh(first).refusal == INVALID_GRANT
    assert app.refresh(others_token).refusal == INVALID_GRANT
    form = {"grant_type": GRANT_REFRESH_TOKEN, "refresh_token": first}
    as_terminal = local.post_form("/token", {**form, "client_id": "sayso-approver"})
    assert as_terminal.status == 400
    assert app.refresh(first).status == 200


def test_a_terminals_refresh_token_is_refused_for_an_app(app, person):
    """Terminals and apps have separate refresh tokens."""
    assert app.refresh(person.refresh_token).refusal == INVALID_GRANT


def test_a_refresh_token_expires_after_thirty_unused_days(app, code_for, local):
    """The thirty days start again at each refresh."""
    first = app.redeem(code_for(app)).json["refresh_token"]
    local.clock.forward(IDLE_MS - 1)
    second = app.refresh(first).json["refresh_token"]
    local.clock.forward(DAY)
    third = app.refresh(second).json["refresh_token"]
    local.clock.forward(IDLE_MS)
    assert app.refresh(third).refusal == INVALID_GRANT


def test_disabling_the_user_or_the_app_ends_the_refresh_token(app, first, code_for, local, person):
    """Enabling the user or the app again does not restore the token."""
    with local.services.store.read() as view:
        (sign_in,) = view.sign_ins.of_user(person.user.id)
    local.admin.users.disable("ana", by=BY)
    assert app.refresh(first).refusal == INVALID_GRANT
    local.admin.users.enable("ana", by=BY)
    assert app.refresh(first).refusal == INVALID_GRANT
    assert sign_in
    second = app.redeem(code_for(app)).json["refresh_token"]
    local.admin.apps.update(app.id, AppChanges(enabled=False), by=BY)
    local.admin.apps.update(app.id, AppChanges(enabled=True), by=BY)
    assert app.refresh(second).refusal == INVALID_GRANT


def test_revoking_a_consent_ends_the_refresh_token(app, first, local):
    """The token cannot be refreshed even for scopes that concern only the person."""
    (named_consent,) = [
        consent
        for consent in local.site.consents.search(user=None, client=None, ended=False)
        if consent.consent.resource == PAY
    ]
    local.site.consents.revoke(named_consent.consent.id, by=BY)
    assert app.refresh(first).refusal == INVALID_GRANT
    assert app.refresh(first, scope="openid").refusal == INVALID_GRANT


def test_revoking_a_consent_keeps_the_refresh_tokens_of_other_resources(code_for, local):
    """The app has a refresh token for each resource, and only one of them ends."""
    other = "https://orders.example"
    local.admin.resources.add(other, {"orders:read": "low"}, {}, by=BY)
    app = new_app(local, resources=(PAY, other), scopes=("payments:read", "orders:read"))
    payments, orders = (
        app.redeem(code_for(app, resource=resource, scope=scope)).json["refresh_token"]
        for resource, scope in ((PAY, "payments:read"), (other, "orders:read"))
    )
    (result,) = (
        result
        for result in local.site.consents.search(user=None, client=None, ended=False)
        if result.consent.resource == other
    )
    local.site.consents.revoke(result.consent.id, by=BY)
    assert app.refresh(orders).refusal == INVALID_GRANT
    assert app.refresh(payments).status == 200


def test_a_public_apps_refresh_token_is_bound_to_its_key(code_for, local, proof):
    """DP-33, NG-086: a public app cannot refresh without a proof of the same key."""
    app = new_app(local, "phone", auth_method="none")
    key, other = SigningKey.generate(), SigningKey.generate()
    first = app.redeem(code_for(app), proofs=[proof(key)]).json["refresh_token"]
    assert app.refresh(first).refusal == (400, "invalid_dpop_proof")
    assert app.refresh(first, proofs=[proof(other)]).refusal == (400, "invalid_dpop_proof")
    assert app.refresh(first, proofs=[proof(key)]).json["token_type"] == "DPoP"


def test_a_public_app_can_revoke_its_tokens(code_for, local):
    """NG-108: after a 200, the revoked token no longer works."""
    app = new_app(local, "phone", auth_method="none")
    tokens = app.redeem(code_for(app)).json
    for kind, check in (("access_token", app.userinfo), ("refresh_token", app.refresh)):
        assert check(tokens[kind]).status == 200
        form = {"token": tokens[kind], "client_id": app.id}
        assert local.post_form("/revoke", form).status == 200
        assert check(tokens[kind]).status in {400, 401}


def test_an_app_with_a_secret_may_use_another_key_to_refresh(app, code_for, proof):
    """DP-34, RFC 9449 5: its refresh tokens are bound to the client."""
    first = app.redeem(code_for(app), proofs=[proof(SigningKey.generate())]).json["refresh_token"]
    assert app.refresh(first, proofs=[proof(SigningKey.generate())]).json["token_type"] == "DPoP"


def test_revoking_a_refresh_token_ends_the_family(app, first, local):
    """RV-08: its access tokens end too, and a different client cannot revoke it."""
    token = app.refresh(first, scope="openid").json
    other = new_app(local, "console")
    for client in (other, app, app):
        form = {"token": token["refresh_token"], **client.credentials}
        assert local.post_form("/revoke", form).status == 200
        is_ended = client is app
        assert (app.userinfo(token["access_token"]).status == 401) == is_ended
    assert app.refresh(token["refresh_token"]).refusal == INVALID_GRANT
    (entry,) = local.admin.entries("token.revoked")
    assert entry["facts"]["tokens_revoked"] == 2


def test_a_refresh_never_turns_a_bound_token_into_a_bearer_token(app, code_for, proof):
    """DP-35, NG-086: the client's secret does not replace the proof."""
    first = app.redeem(code_for(app), proofs=[proof(SigningKey.generate())]).json["refresh_token"]
    assert app.refresh(first).refusal == (400, "invalid_dpop_proof")
    second = app.refresh(first, proofs=[proof(SigningKey.generate())]).json["refresh_token"]
    assert app.refresh(second).refusal == (400, "invalid_dpop_proof")


def test_an_app_may_introspect_its_refresh_token(app, first, local, person, resource):
    """IN-10: to every other caller, the token looks inactive."""

    def introspected(token, client=app):
        form = {"token": token, **client.credentials}
        return local.post_form("/introspect", form).json

    active = introspected(first)
    assert (active["active"], active["client_id"], active["sub"]) == (True, app.id, person.user.id)
    assert active["username"] == "ana"
    assert set(active["scope"].split()) >= {"openid"}
    assert active["exp"] > active["iat"]
    assert not {"token_type", "aud", "jti"} & set(active)
    for response in (
        introspected(first, new_app(local, "console")),
        resource.introspect(first).json,
    ):
        assert response == {"active": False}
    for changed in (first[:-1], first + "A", "sayso_rt_"):
        assert introspected(changed) == {"active": False}
    second = app.refresh(first).json["refresh_token"]
    assert (introspected(first), introspected(second)["active"]) == ({"active": False}, True)
    local.clock.forward(31 * DAY)
    assert introspected(second) == {"active": False}


@pytest.mark.parametrize("end", ["user", "family", "token"])
def test_an_ended_refresh_token_is_inactive(app, end, first, local):
    """IN-11, IN-13, IN-14: disabling the user, revoking the token and its expiry end it."""
    form = {"token": first, **app.credentials}
    if end == "user":
        local.admin.users.disable("ana", by=BY)
    elif end == "token":
        local.post_form("/revoke", form)
    else:
        with local.services.store.write() as tx:
            tx.code_grants.end_family(tx.code_grants.token(handle_hash(first)).family_id, tx.now)
    assert local.post_form("/introspect", form).json == {"active": False}


def test_tokens_of_an_app_expire_with_the_consent(app, first, local):
    """The access and the refresh token both expire with the consent."""
    local.clock.forward(30 * DAY - MINUTE)
    answer = app.refresh(first).json
    assert answer["expires_in"] == 60
    local.clock.forward(MINUTE)
    assert app.refresh(answer["refresh_token"]).refusal == INVALID_GRANT


def test_a_restore_ends_refresh_tokens_and_codes(app, first, code_for, restore):
    """The backup does not show which tokens were used since, so all of them end."""
    token = app.refresh(first).json
    code = code_for(app, **FULL_REQUEST)
    restored_app = LocalApp(restore(), app.app, app.secret)
    with restored_app.local.services.store.read() as view:
        row = view.code_grants.token(handle_hash(first))
        assert view.code_grants.family(row.family_id).ended_at is not None
        assert view.code_grants.code(handle_hash(code)) is None
    assert restored_app.refresh(first).refusal == INVALID_GRANT
    assert restored_app.refresh(token["refresh_token"]).refusal == INVALID_GRANT
    assert restored_app.redeem(code).refusal == INVALID_GRANT
    assert restored_app.userinfo(token["access_token"]).status == 401
