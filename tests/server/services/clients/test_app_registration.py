"""Apps register themselves if a setting allows it."""

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
    """Register an app; return the response."""
    body = json.dumps({"client_name": "Chat", "redirect_uris": [BACK], **members}).encode()
    headers = {"content-type": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return local.send("POST", "/register", headers=headers, body=body)


def invite(local, **members):
    """Return the token of an invitation for apps, issued for Ana."""
    invitations = Invitations(local.services.store, local.services.secrets)
    new = NewInvitation("ana", **{"grant_types": USUAL_APP_GRANTS, **members})
    return invitations.issue(new, by=BY).token


def test_an_app_registers_and_signs_somebody_in(site, template):
    """DC-02, DC-03: it gets 201 and no secret, and the page says that it registered itself."""
    members = {"scope": "payments:transfer", "token_endpoint_auth_method": "client_secret_post"}
    answer = register(site, **members)
    assert answer.status == 201, answer.body
    registered = answer.json
    assert registered["client_id"].startswith("sayso_app_")
    assert (registered["token_endpoint_auth_method"], registered["application_type"]) == (
        "none",
        "native",
    )
    assert registered["redirect_uris"] == [BACK]
    assert "client_secret" not in registered
    (added,) = site.admin.entries("app.added")
    assert (added["facts"]["origin"], added["facts"]["claimed_name"]) == ("registration", "Chat")
    if PAY not in {resource.uri for resource in site.admin.resources.all()}:
        site.admin.resources.add(PAY, PAY_SCOPES, {}, by=BY)
    site.admin.resources.update(PAY, ResourceChanges(unknown_clients=True), by=BY)
    give_password(site, "ana")
    ana, browser = template.person(site), new_browser(site)
    back = "http://127.0.0.1:49152/callback"
    browser.authorize(
        registered["client_id"], scope="payments:read", resource=PAY, redirect_uri=back
    )
    page = browser.sign_in("ana").text
    assert "Allow this for <bdi>local app</bdi>?" in page
    assert "It registered itself." in page
    browser.answer("allow")
    (item,) = ana.call("GET", "/api/approvals").json["items"]
    ana.approve(item["id"])
    app = LocalApp(site, site.admin.apps.show(registered["client_id"]), "")
    tokens = app.redeem(browser.again().answer["code"], redirect_uri=back).json
    assert site.claims(tokens["access_token"])["client_id"] == registered["client_id"]
    assert "refresh_token" in tokens


def test_an_app_can_bind_itself_to_dpop_and_pushed_requests(site):
    """RFC 9449 5.2, RFC 9126 6: the response has both, and the endpoints enforce them."""
    binding = {"dpop_bound_access_tokens": True, "require_pushed_authorization_requests": True}
    registered = register(site, **binding).json
    assert {name: registered[name] for name in binding} == binding
    assert registered["authorization_details_types"] == []
    unbound = register(site).json
    assert not any(unbound[name] for name in binding)
    browser = new_browser(site)
    answers = [
        browser.authorize(client["client_id"], scope="openid", redirect_uri=BACK)
        for client in (registered, unbound)
    ]
    assert answers[0].answer["error"] == "invalid_request"
    assert "Sign in" in answers[1].text
    app = LocalApp(site, site.admin.apps.show(registered["client_id"]), "")
    assert app.redeem("x", redirect_uri=BACK).refusal == (400, "invalid_dpop_proof")
    (added, _) = site.admin.entries("app.added")
    assert (added["facts"]["dpop_bound"], added["facts"]["requires_par"]) == (True, True)


def test_app_registration_is_off_by_default(local):
    """By default, an app cannot register, not even with an invitation."""
    assert register(local).refusal == (400, "invalid_redirect_uri")
    assert register(local, invite(local)).refusal == (400, "invalid_redirect_uri")
    assert local.admin.apps.all() == []


def test_each_use_of_an_invitation_registers_one_app(open_local):
    """DC-05: without an invitation, or with one for agents, an app cannot register."""
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


def test_an_invitation_for_apps_has_the_usual_grants_and_no_scopes(local):
    """Such apps get what is open to them, so an invitation with scopes is refused."""
    for members in ({"scopes": ("payments:read",)}, {"grant_types": ("authorization_code",)}):
        with pytest.raises(Invalid, match="invitation for apps"):
            invite(local, **members)


def test_registrations_are_limited_per_address(site):
    """DC-12: after the limit, the address must wait an hour; each app gets its own name."""
    for _ in range(MAX_PER_ADDRESS):
        assert register(site).status == 201
    assert register(site).refusal == (503, "temporarily_unavailable")
    names = {app.name for app in site.admin.apps.all()}
    assert len(names) == MAX_PER_ADDRESS
    assert all(name.startswith("local app") for name in names)
    site.clock.forward(HOUR)
    assert register(site).status == 201


def test_all_addresses_of_an_ipv6_network_share_the_limit(site, monkeypatch):
    """DC-12: a client has a whole /64, so a new address is not a new limit."""
    peer = "tests.support.builders.site.PEER"
    for number in range(MAX_PER_ADDRESS):
        monkeypatch.setattr(peer, f"2001:db8::{number + 1:x}")
        assert register(site).status == 201
    monkeypatch.setattr(peer, "2001:db8::ffff")
    assert register(site).refusal == (503, "temporarily_unavailable")
    monkeypatch.setattr(peer, "2001:db8:0:1::1")
    assert register(site).status == 201


def test_the_number_of_unused_apps_is_limited(site, monkeypatch):
    """At the limit, registration is refused until unused apps are deleted after a day."""
    assert MAX_UNUSED > MAX_PER_ADDRESS
    monkeypatch.setattr("server.services.clients.unknown_apps.MAX_UNUSED", 1)
    new_unknown_app(site.services.store)
    answer = register(site)
    assert answer.refusal == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "600"
    site.clock.forward(UNUSED_MS + MINUTE)
    assert UnknownAppExpiry(site.services.store).round() == 1
    assert register(site).status == 201


def test_metadata_is_checked_before_anything_is_stored(site):
    """MC-09: invalid metadata is refused and no app is stored."""
    assert register(site, application_type="web").refusal == (400, "invalid_redirect_uri")
    assert site.admin.apps.all() == []
