"""A consent that was taken back: what an app holds by it is over, the rest goes on."""

import pytest

from tests.support.builders.app_users import new_app
from tests.support.builders.callers import new_person
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import ISSUER

GONE = (400, "invalid_grant")
WHOLE = {"scope": "openid payments:read", "resource": PAY}


@pytest.fixture
def app(local):
    """A chat front end with a secret."""
    return new_app(local)


def _consents(person):
    items = person.call("GET", "/api/consents").json["items"]
    return {(item["client"]["name"], item["resource"]): item["id"] for item in items}


def _revoke(person, client, resource):
    answer = person.call("DELETE", f"/api/consents/{_consents(person)[client, resource]}")
    assert answer.status == 200, answer.body
    return answer.json["tokens_revoked"]


def test_the_apps_refresh_token_ends_with_it(app, person, code_for):
    """And stays ended when the person consents again; the answer counts access tokens."""
    tokens = app.redeem(code_for(app, **WHOLE)).json
    assert _revoke(person, "chat", PAY) == 1
    assert app.refresh(tokens["refresh_token"]).refusal == GONE
    again = app.redeem(code_for(app, **WHOLE)).json
    assert app.refresh(tokens["refresh_token"]).refusal == GONE
    assert app.refresh(again["refresh_token"]).status == 200


def test_what_an_app_knows_of_the_person_ends_too(app, person, code_for):
    """The consent to that is one of its own."""
    tokens = app.redeem(code_for(app, scope="openid")).json
    assert app.userinfo(tokens["access_token"]).status == 200
    assert _revoke(person, "chat", f"{ISSUER}/userinfo") == 1
    assert app.refresh(tokens["refresh_token"]).refusal == GONE
    assert app.userinfo(tokens["access_token"]).status == 401


def test_the_agents_consent_ends_the_apps_token_that_names_it(app, agent, person, code_for):
    """Or the app could go on handing it to the agent."""
    tokens = app.redeem(code_for(app, **WHOLE, requested_actor=agent.id)).json
    assert ("invoice-bot", PAY) in _consents(person)
    assert _revoke(person, "invoice-bot", PAY) == 1
    assert app.refresh(tokens["refresh_token"]).refusal == GONE
    assert ("chat", PAY) in _consents(person)


def test_other_apps_and_other_people_go_on(app, local, person, code_for):
    """Nothing else stands on it."""
    other = new_app(local, "mail")
    app.redeem(code_for(app, **WHOLE))
    tokens = other.redeem(code_for(other, **WHOLE)).json
    new_person(local, "ben")
    _revoke(person, "chat", PAY)
    assert other.refresh(tokens["refresh_token"]).status == 200


def test_stopping_a_person_counts_what_their_apps_held(app, local, code_for):
    """Each token once, whichever way it ended; the refresh token is over too."""
    tokens = app.redeem(code_for(app, **WHOLE)).json
    app.refresh(tokens["refresh_token"])
    assert local.desk.users.disable("ana", by=BY).tokens_revoked == 2
    local.desk.users.enable("ana", by=BY)
    assert app.refresh(tokens["refresh_token"]).refusal == GONE
