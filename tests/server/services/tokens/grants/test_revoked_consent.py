"""Revoking a consent ends the tokens of the app that depend on it, and no others."""

from tests.support.builders.app_users import new_app
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, SECOND
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import ISSUER

INVALID_GRANT = (400, "invalid_grant")
REQUEST = {"scope": "openid payments:read", "resource": PAY}


def _consents(person):
    items = person.call("GET", "/api/consents").json["items"]
    return {(item["client"]["name"], item["resource"]): item["id"] for item in items}


def _revoke(person, client, resource):
    answer = person.call("DELETE", f"/api/consents/{_consents(person)[client, resource]}")
    assert answer.status == 200, answer.body
    return answer.json["tokens_revoked"]


def test_revoking_the_apps_consent_ends_its_refresh_token(app, person, code_for):
    """The response counts the access tokens; a new consent does not restore old tokens."""
    tokens = app.redeem(code_for(app, **REQUEST)).json
    assert _revoke(person, "chat", PAY) == 1
    assert app.refresh(tokens["refresh_token"]).refusal == INVALID_GRANT
    new_tokens = app.redeem(code_for(app, **REQUEST)).json
    assert app.refresh(tokens["refresh_token"]).refusal == INVALID_GRANT
    assert app.refresh(new_tokens["refresh_token"]).status == 200


def test_revoking_the_userinfo_consent_ends_its_tokens(app, person, code_for):
    """The consent for userinfo can be revoked by itself."""
    tokens = app.redeem(code_for(app, scope="openid")).json
    assert app.userinfo(tokens["access_token"]).status == 200
    assert _revoke(person, "chat", f"{ISSUER}/userinfo") == 1
    assert app.refresh(tokens["refresh_token"]).refusal == INVALID_GRANT
    assert app.userinfo(tokens["access_token"]).status == 401


def test_revoking_the_agents_consent_ends_the_app_token_that_names_it(app, agent, person, code_for):
    """Otherwise, the app could still pass its token to the agent."""
    tokens = app.redeem(code_for(app, **REQUEST, requested_actor=agent.id)).json
    assert ("invoice-bot", PAY) in _consents(person)
    assert _revoke(person, "invoice-bot", PAY) == 1
    assert app.refresh(tokens["refresh_token"]).refusal == INVALID_GRANT
    assert ("chat", PAY) in _consents(person)


def test_a_narrower_consent_does_not_cover_an_earlier_grant(app, code_for, local, person):
    """The first consent expired, and the user allowed less when they signed in again."""
    token = app.redeem(code_for(app, scope="openid email")).json["refresh_token"]
    for _ in range(9):
        local.clock.forward(20 * DAY - SECOND)
        token = app.refresh(token).json["refresh_token"]
        person.refresh()
    local.clock.forward(9 * SECOND)
    new_token = app.redeem(code_for(app, scope="openid")).json["refresh_token"]
    assert app.refresh(new_token).status == 200
    assert app.refresh(token).refusal == INVALID_GRANT


def test_other_apps_keep_their_tokens(app, local, person, code_for):
    """Other apps have their own consents."""
    other = new_app(local, "mail")
    app.redeem(code_for(app, **REQUEST))
    tokens = other.redeem(code_for(other, **REQUEST)).json
    new_person(local, "ben")
    _revoke(person, "chat", PAY)
    assert other.refresh(tokens["refresh_token"]).status == 200


def test_disabling_a_user_counts_the_tokens_of_their_apps(app, local, code_for):
    """Each access token counts once, and the refresh token ends too."""
    tokens = app.redeem(code_for(app, **REQUEST)).json
    app.refresh(tokens["refresh_token"])
    assert local.admin.users.disable("ana", by=BY).tokens_revoked == 2
    local.admin.users.enable("ana", by=BY)
    assert app.refresh(tokens["refresh_token"]).refusal == INVALID_GRANT
