"""Apps that people use register themselves, if a setting lets them."""

import json

import pytest

from server.protocol.names import GRANT_CIBA, USUAL_APP_GRANTS
from server.services.clients.app_expiry import UNUSED_MS, UnknownAppExpiry
from server.services.clients.app_registration import MAX_PER_ADDRESS
from server.services.clients.invitations import Invitations, NewInvitation
from server.services.clients.unknown_apps import MAX_UNUSED
from server.services.refusals import Invalid
from server.services.resources.resources import ResourceChanges
from tests.support.builders.app_users import LocalApp, give_password, new_browser
from tests.support.builders.clock import HOUR, MINUTE
from tests.support.builders.installation import BY, PAY, PAY_SCOPES
from tests.support.builders.unknown_apps import new_unknown_app

BACK = "http://127.0.0.1/callback"


@pytest.fixture
def site(open_local):
    """An installation that is open to every app."""
    return open_local(clients_registration="open")


def register(local, token=None, **members):
    """The answer to a registration."""
    body = json.dumps({"client_name": "Chat", "redirect_uris": [BACK], **members}).encode()
    headers = {"content-type": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return local.send("POST", "/register", headers=headers, body=body)


def invite(local, **members):
    """The token of an invitation of Ana's for apps."""
    invitations = Invitations(local.services.store, local.services.secrets)
    new = NewInvitation("ana", **{"grant_types": USUAL_APP_GRANTS, **members})
    return invitations.issue(new, by=BY).token


def test_an_app_registers_and_signs_somebody_in(site, template):
    """DC-02, DC-03: 201, no secret; the page says that nobody verified it."""
    more = {"scope": "payments:transfer", "token_endpoint_auth_method": "client_secret_post"}
    answer = register(site, **more)
    assert answer.status == 201, answer.body
    told = answer.json
    assert told["client_id"].startswith("sayso_app_")
    assert (told["token_endpoint_auth_method"], told["application_type"]) == ("none", "native")
    assert told["redirect_uris"] == [BACK]
    assert "client_secret" not in told
    (added,) = site.admin.entries("app.added")
    assert (added["facts"]["origin"], added["facts"]["claimed_name"]) == ("registration", "Chat")
    if PAY not in {resource.uri for resource in site.admin.resources.all()}:
        site.admin.resources.add(PAY, PAY_SCOPES, {}, by=BY)
    site.admin.resources.update(PAY, ResourceChanges(unknown_clients=True), by=BY)
    give_password(site, "ana")
    ana, browser = template.person(site), new_browser(site)
    back = "http://127.0.0.1:49152/callback"
    browser.authorize(told["client_id"], scope="payments:read", resource=PAY, redirect_uri=back)
    page = browser.sign_in("ana").text
    assert "Allow this for <bdi>local app</bdi>?" in page
    assert "It registered itself." in page
    browser.answer("allow")
    (item,) = ana.call("GET", "/api/approvals").json["items"]
    ana.approve(item["id"])
    app = LocalApp(site, site.admin.apps.show(told["client_id"]), "")
    tokens = app.redeem(browser.again().answer["code"], redirect_uri=back).json
    assert site.claims(tokens["access_token"])["client_id"] == told["client_id"]
    assert "refresh_token" in tokens


def test_it_is_off_until_somebody_turns_it_on(local):
    """As before, only agents register, with an invitation."""
    assert register(local).refusal == (400, "invalid_redirect_uri")
    assert register(local, invite(local)).refusal == (400, "invalid_redirect_uri")
    assert local.admin.apps.all() == []


def test_by_invitation_each_use_is_one_app(open_local):
    """DC-05: an invitation for agents is none for apps, and the other way round."""
    local = open_local(clients_registration="invitation")
    token = invite(local)
    assert register(local).refusal == (401, "invalid_token")
    assert register(local, invite(local, grant_types=(GRANT_CIBA,))).status == 401
    assert register(local, token, redirect_uris=[]).status == 400
    assert register(local, token).status == 201
    assert register(local, token).status == 401
    (added,) = local.admin.entries("app.added")
    assert added["actor"].startswith("invitation:sayso_in_")
    assert len(local.admin.apps.all()) == 1


def test_an_invitation_for_apps_limits_nothing_else(local):
    """They reach what is open to them, so a scope would mean nothing."""
    for members in ({"scopes": ("payments:read",)}, {"grant_types": ("authorization_code",)}):
        with pytest.raises(Invalid, match="invitation for apps"):
            invite(local, **members)


def test_one_address_registers_a_few_and_no_more(site):
    """DC-12; others are not held up."""
    for _ in range(MAX_PER_ADDRESS):
        assert register(site).status == 201
    assert register(site).refusal == (503, "temporarily_unavailable")
    names = {app.name for app in site.admin.apps.all()}
    assert len(names) == MAX_PER_ADDRESS
    assert all(name.startswith("local app") for name in names)
    site.clock.forward(HOUR)
    assert register(site).status == 201


def test_there_is_a_limit_on_those_that_nobody_uses(site, monkeypatch):
    """Until the oldest are deleted after a day."""
    assert MAX_UNUSED > MAX_PER_ADDRESS
    monkeypatch.setattr("server.services.clients.unknown_apps.MAX_UNUSED", 1)
    new_unknown_app(site.services.store)
    refused = register(site)
    assert refused.refusal == (503, "temporarily_unavailable")
    assert refused.headers["Retry-After"] == "600"
    site.clock.forward(UNUSED_MS + MINUTE)
    assert UnknownAppExpiry(site.services.store).round() == 1
    assert register(site).status == 201


def test_metadata_is_checked_before_anything_is_stored(site):
    """MC-09."""
    assert register(site, application_type="web").refusal == (400, "invalid_redirect_uri")
    assert site.admin.apps.all() == []
