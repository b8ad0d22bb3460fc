"""Administrators change agents, users, resources and other records over HTTP."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from server.http.clients import agent_wire, invitations
from server.http.clients import apps as app_routes
from server.http.resources import resources
from server.http.users import user_wire
from server.model.clients import Agent, App
from server.model.resources import Resource
from server.model.users import User
from server.services.clients.invitations import NewInvitation
from tests.support.builders.admins import JWK, AdminSite
from tests.support.builders.callers import LocalTerminal, another_device
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code
from tests.support.builders.site import Answer
from tests.support.inputs.valid_bodies import FULL

_SMALL = {"name": "x", "owners": ["owner"]}


_AGENT_MEMBERS = {
    "takes_user_code": "backchannel_user_code_parameter",
    "id_token_alg": "id_token_signed_response_alg",
    "dpop_bound": "dpop_bound_access_tokens",
    "requires_par": "require_pushed_authorization_requests",
    "request_alg": "backchannel_authentication_request_signing_alg",
    "notification_endpoint": "backchannel_client_notification_endpoint",
}


@pytest.fixture
def admin(staff: AdminSite) -> LocalTerminal:
    """The administrator."""
    return staff.people["admin"]


def _patch(staff: AdminSite, path: str, changes: Any) -> Answer:
    return staff.people["admin"].administer("PATCH", path, changes, version=staff.version(path))


def test_an_agent_is_registered_with_every_member(admin: LocalTerminal) -> None:
    """Reading the agent later adds its pauses and quarantine date."""
    answer = admin.administer("POST", "/api/agents", FULL)
    assert (answer.status, answer.json["client_secret"]) == (201, None)
    agent = answer.json["agent"]
    assert agent["keys"] == [{**JWK, "kid": "a", "alg": "ES256"}]
    assert [owner["name"] for owner in agent["owners"]] == ["owner", "admin"]
    assert [user["name"] for user in agent["asks"]] == ["bystander"]
    assert agent["expires_at"] == "2099-01-31T00:00:00.000Z"
    assert agent["review_at"] == "2027-01-31T00:00:00.000Z"
    same = set(FULL) - {"owners", "asks", "jwks", "expires_at", "review_at"}
    assert {name: agent[name] for name in same} == {name: FULL[name] for name in same}
    read_back = admin.call("GET", f"/api/agents/{agent['client_id']}").json
    assert read_back == {**agent, "pauses": [], "quarantine_at": None}
    assert admin.administer("POST", "/api/agents", FULL).refusal == (409, "exists")


def test_an_agents_secret_is_returned_once(admin: LocalTerminal) -> None:
    """Only the responses to a creation and to a rotation have a secret."""
    created = admin.administer("POST", "/api/agents", {"name": "small", "owners": ["owner"]}).json
    path = f"/api/agents/{created['agent']['client_id']}"
    answer = admin.call("GET", path)
    assert created["client_secret"] not in answer.body.decode()
    renewed = admin.administer("POST", f"{path}/secret", {"overlap": 60}).json
    ends = [secret["expires_at"] for secret in renewed["agent"]["secrets"]]
    assert (len(ends), ends.count(None)) == (2, 1)
    assert renewed["client_secret"] != created["client_secret"]


def test_null_clears_a_member_and_an_omitted_member_is_unchanged(
    staff: AdminSite, admin: LocalTerminal
) -> None:
    """Null has the same meaning as in a JSON merge patch (RFC 7396)."""
    agent = admin.administer("POST", "/api/agents", FULL).json["agent"]
    path = f"/api/agents/{agent['client_id']}"
    renamed = _patch(staff, path, {"name": "fuller", "remove_owners": ["owner"]}).json
    assert renamed["name"] == "fuller"
    assert [owner["name"] for owner in renamed["owners"]] == ["admin"]
    assert renamed["action_types"] == ["payment.transfer"]
    nulls = {
        "action_types": None,
        "asks": None,
        "expires_at": None,
        "backchannel_authentication_request_signing_alg": None,
        "token_seconds": None,
    }
    cleared = _patch(staff, path, nulls).json
    assert {name: cleared[name] for name in nulls} == nulls
    jwks = {"keys": [{**JWK, "kid": "b"}]}
    polls = _patch(staff, path, {"delivery": "poll", "serves": []}).json
    assert (polls["serves"], polls["backchannel_client_notification_endpoint"]) == ([], None)
    more = {"jwks": jwks, "dpop_bound_access_tokens": False, "expires_at": "2098-01-01T00:00:00Z"}
    changed = _patch(staff, path, more).json
    assert changed["keys"] == [{**JWK, "kid": "b", "alg": "ES256"}]
    assert changed["dpop_bound_access_tokens"] is False
    assert changed["expires_at"] == "2098-01-01T00:00:00.000Z"


def test_the_last_administrator_cannot_be_disabled_or_lose_the_role(
    staff: AdminSite, admin: LocalTerminal
) -> None:
    """Both changes get 409, because nobody could administer the installation afterward."""
    path = f"/api/users/{admin.user.id}"
    staff.local.admin.users.disable("first", by=BY)
    disabled = admin.call("POST", f"{path}/disable")
    assert disabled.refusal == (409, "conflict")
    assert "admin is the last enabled administrator." in disabled.json["detail"]
    without_role = _patch(staff, path, {"roles": []})
    assert (without_role.refusal, without_role.json["member"]) == ((409, "conflict"), "roles")
    assert admin.call("GET", path).json["state"] == "enabled"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (
            {
                **_SMALL,
                "delivery": "ping",
                "backchannel_client_notification_endpoint": "https://10.0.0.1",
            },
            422,
            "invalid",
        ),
        ({**_SMALL, "token_seconds": 1}, 422, "invalid"),
        ({"name": "x", "owners": ["nobody"]}, 404, "not_found"),
        ({"name": "x", "owners": ["owner"], "asks": ["nobody"]}, 404, "not_found"),
        ({"name": "x", "owners": []}, 422, "invalid"),
        ({"name": "x", "owners": ["owner"], "scopes": ["nothing"]}, 422, "invalid"),
        ({"name": "x", "owners": ["owner"], "jwks": {"keys": []}}, 422, "invalid"),
        ({"name": "x", "owners": ["owner"], "expires_at": "soon"}, 422, "invalid_body"),
        ({"name": "x", "owners": "owner"}, 422, "invalid_body"),
        ({"name": "x", "owners": ["owner"], "state": "enabled"}, 422, "invalid_body"),
        ({"name": 5, "owners": ["owner"]}, 422, "invalid_body"),
        ({"owners": ["owner"]}, 422, "invalid_body"),
        ([], 422, "invalid_body"),
    ],
)
def test_an_invalid_agent_is_refused(
    staff: AdminSite, admin: LocalTerminal, body: object, status: int, code: str
) -> None:
    """The response has the reason, and nothing is created."""
    assert admin.administer("POST", "/api/agents", body).refusal == (status, code)
    assert len(staff.local.admin.agents.all()) == 2


def test_a_user_is_added_changed_and_deleted(staff: AdminSite, admin: LocalTerminal) -> None:
    """The enrollment code is returned once; an email of null removes the email."""
    body = {"name": "dora", "email": "dora@example.com", "roles": ["auditor"]}
    created = admin.administer("POST", "/api/users", body).json
    assert len(created["enrollment_code"].replace("-", "")) == 32
    path = f"/api/users/{created['user']['id']}"
    moved = _patch(staff, path, {"email": "d@example.com"}).json
    assert (moved["email"], moved["roles"]) == ("d@example.com", ["auditor"])
    bare = _patch(staff, path, {"email": None, "roles": []}).json
    assert (bare["email"], bare["roles"]) == (None, [])
    disabled = admin.call("POST", f"{path}/disable").json
    assert (disabled["user"]["state"], disabled["requests_cancelled"]) == ("disabled", 0)
    assert admin.administer("POST", f"{path}/codes").refusal == (409, "conflict")
    assert admin.administer("POST", f"{path}/enable").json["state"] == "enabled"
    assert admin.administer("POST", f"{path}/codes").status == 201
    assert admin.call("GET", path).json["devices"] == []


def test_an_administrator_unlocks_a_locked_device(staff: AdminSite, admin: LocalTerminal) -> None:
    """The command `sayso users unlock` does the same."""
    locked = staff.people["stranger"]
    for _ in range(10):
        locked.pin()
    path = f"/api/users/{locked.user.id}"
    assert admin.call("GET", path).json["devices"][0]["pin"]["locked"] is True
    (device,) = admin.administer("POST", f"{path}/unlock").json["devices"]
    assert device["id"] == locked.device_id
    assert locked.device.pin_tries == 0


def test_a_resource_is_added_changed_rotated_and_deleted(
    staff: AdminSite, admin: LocalTerminal
) -> None:
    """Deleting a resource returns the names of the agents that lose it."""
    body = {"uri": "https://new.example", "scopes": {"a": "low", "b": "high"}}
    created = admin.administer("POST", "/api/resources", body)
    assert created.status == 201
    resource = created.json["resource"]
    path = f"/api/resources/{resource['id']}"
    changes = {
        "scopes": {"c": "critical"},
        "remove_scopes": ["b"],
        "requires": {"a": "payment.transfer"},
    }
    changed = _patch(staff, path, changes).json
    assert changed["scopes"] == {"a": "low", "c": "critical"}
    assert changed["requires"] == {"a": "payment.transfer"}
    limited = _patch(staff, path, {"token_seconds": 60}).json
    assert limited["token_seconds"] == 60
    assert _patch(staff, path, {"token_seconds": None}).json["token_seconds"] is None
    renewed = admin.administer("POST", f"{path}/secret", {"overlap": 0}).json
    assert len(renewed["resource"]["secrets"]) == 1
    assert renewed["client_secret"] != created.json["client_secret"]
    assert admin.administer("POST", "/api/resources", body).refusal == (409, "exists")
    deleted = admin.call("DELETE", f"/api/resources/{staff.ids['resource']}").json
    assert deleted == {
        "uri": PAY,
        "tokens_revoked": 1,
        "requests_cancelled": 1,
        "agents_narrowed": ["one", "two"],
        "apps_narrowed": [],
    }


def test_an_action_type_is_replaced_and_deleted(staff: AdminSite, admin: LocalTerminal) -> None:
    """The file is stored as sent. A file of a different type cannot replace it."""
    path = f"/api/actions/{staff.ids['action']}"
    changed = {**PAYMENT, "risk": "critical"}
    answer = admin.administer("PUT", path, changed, version=staff.version(path))
    assert (answer.json["revision"], json.loads(answer.json["document"])) == (2, changed)
    other = {**PAYMENT, "type": "other.type"}
    refused = admin.administer("PUT", path, other, version=staff.version(path))
    assert refused.refusal == (422, "invalid_body")
    bad = admin.administer("POST", "/api/actions", {"type": "x"})
    assert bad.refusal == (422, "invalid")
    assert admin.call("DELETE", path).status == 204
    assert admin.call("GET", path).refusal == (404, "not_found")


def test_an_action_type_file_that_is_not_text_is_refused(
    staff: AdminSite, admin: LocalTerminal
) -> None:
    """The body is refused before it is parsed."""
    path, body = "/api/actions", b"\xff\xfe"
    answer = staff.local.send(
        "POST",
        path,
        headers={"authorization": f"DPoP {admin.access_token}"},
        proofs=[admin.proof("POST", path)],
        body=body,
    )
    assert answer.refusal == (422, "invalid_body")


def test_a_request_is_shown_completely_and_withdrawn(
    staff: AdminSite, admin: LocalTerminal
) -> None:
    """A second withdrawal is a conflict."""
    path = f"/api/admin/approvals/{staff.ids['approval']}"
    details = admin.call("GET", path).json
    assert (details["state"], details["headline"]) == ("pending", "Read payments")
    assert details["decisions"] == []
    assert details["fingerprint"] == "9f86-d081"
    cancelled = admin.call("POST", f"{path}/cancel", {"reason": "Not now"}).json
    assert (cancelled["state"], cancelled["reason"]) == ("cancelled", "administrator: Not now")
    again = admin.call("POST", f"{path}/cancel", {"reason": "Not now"})
    assert again.refusal == (409, "conflict")
    assert [entry["type"] for entry in admin.call("GET", path).json["entries"]]
    assert admin.call("GET", "/api/admin/approvals/nothing").refusal == (404, "not_found")


def test_a_decided_request_is_shown_with_its_signed_decision(
    staff: AdminSite, admin: LocalTerminal
) -> None:
    """The decision has the values that the approver signed."""
    person = staff.people["stranger"]
    approval = staff.local.admin.approval(staff.ids["agent"], person.user.id)
    person.deny(approval.id)
    (answer,) = admin.call("GET", f"/api/admin/approvals/{approval.id}").json["decisions"]
    assert (answer["decision"], answer["code"], answer["user"]) == (
        "deny",
        "not_needed",
        person.user.id,
    )


def test_requests_of_deleted_agents_and_unknown_users_are_shown(
    staff: AdminSite, admin: LocalTerminal
) -> None:
    """The agent is shown as deleted, and a request to an unknown user has no user."""
    services = staff.local.admin
    row = replace(services.approval(staff.ids["agent"], admin.user.id), user_id=None)
    other_row = replace(row, id=services.secrets.new_id("sayso_ap_"), auth_req_hash=b"phantom")
    with services.store.write() as tx:
        tx.approvals.add(other_row)
    assert admin.call("DELETE", f"/api/agents/{staff.ids['agent']}").status == 204
    document = admin.call("GET", f"/api/admin/approvals/{other_row.id}").json
    assert (document["agent"]["name"], document["user"]) == ("(deleted agent)", None)


def _wait_a_day(staff: AdminSite, admin: LocalTerminal) -> None:
    staff.local.clock.forward(DAY)
    assert admin.refresh().status == 200


def test_a_device_is_revoked_with_its_session(staff: AdminSite, admin: LocalTerminal) -> None:
    """Revoking a device twice changes nothing more."""
    another_device(staff.people["stranger"])
    _wait_a_day(staff, admin)
    path = f"/api/admin/devices/{staff.people['stranger'].device_id}"
    assert admin.call("DELETE", path).status == 204
    assert staff.people["stranger"].call("GET", "/api/me").status == 401
    assert admin.call("DELETE", path).status == 204
    assert admin.call("DELETE", "/api/admin/devices/nothing").refusal == (404, "not_found")


def test_revoking_a_users_last_device_needs_a_signature(
    staff: AdminSite, admin: LocalTerminal
) -> None:
    """A user without devices is not notified. Your own device needs no signature."""
    local, other_user = staff.local, staff.people["stranger"]
    second = another_device(other_user)
    paths = [f"/api/admin/devices/{device.device_id}" for device in (other_user, second)]
    assert admin.call("DELETE", paths[0]).refusal == (403, "statement_required"), "the other is new"
    _wait_a_day(staff, admin)
    assert admin.call("DELETE", paths[0]).status == 204
    assert admin.call("DELETE", paths[1]).refusal == (403, "statement_required")
    assert second.device.state == "active"
    assert admin.administer("DELETE", paths[1]).status == 204
    assert second.device.state == "revoked"
    revocations = [entry["facts"] for entry in local.admin.entries("device.revoked")]
    assert revocations == [
        {"device": other_user.device_id},
        {"device": second.device_id, "last": True},
    ]
    own = f"/api/admin/devices/{admin.device_id}"
    assert admin.call("DELETE", own).status == 204


def test_an_unused_passkey_does_not_count_as_a_remaining_device(
    staff: AdminSite, admin: LocalTerminal
) -> None:
    """After thirty days without use, the user may have lost the passkey."""
    local, other_user = staff.local, staff.people["stranger"]
    old = LocalBrowser(local, other_user.user, SoftPasskey())
    assert old.enroll(enrollment_code(local, "stranger")).status == 201
    for _ in range(30):
        local.clock.forward(DAY)
        for person in (admin, other_user):
            assert person.refresh().status == 200
            assert person.call("GET", "/api/me").status == 200
    path = f"/api/admin/devices/{other_user.device_id}"
    assert admin.call("DELETE", path).refusal == (403, "statement_required")
    assert admin.administer("DELETE", path).status == 204


def test_an_invitation_is_created_and_revoked(admin: LocalTerminal) -> None:
    """The token is returned once; by default invited agents may ask only their owner."""
    created = admin.administer("POST", "/api/invitations", {"owner": "owner"}).json
    assert created["initial_access_token"].startswith("sayso_it_")
    plain = created["invitation"]
    assert (plain["uses_left"], [user["name"] for user in plain["asks"]]) == (1, ["owner"])
    assert plain["grant_types"] == ["urn:openid:params:grant-type:ciba"]
    body = {
        "owner": "owner",
        "grant_types": ["client_credentials"],
        "resources": [PAY],
        "scopes": ["payments:read"],
        "action_types": [],
        "asks_everybody": True,
        "uses": 5,
        "expires_at": "2025-11-01T00:00:00Z",
    }
    wide = admin.administer("POST", "/api/invitations", body).json["invitation"]
    assert (wide["asks"], wide["action_types"], wide["uses_left"]) == (None, [], 5)
    revoked = admin.call("DELETE", f"/api/invitations/{plain['id']}").json
    assert revoked["revoked_at"] is not None
    assert admin.call("DELETE", f"/api/invitations/{plain['id']}").json == revoked
    assert admin.call("DELETE", "/api/invitations/none").refusal == (404, "not_found")
    far = admin.administer(
        "POST", "/api/invitations", {**body, "expires_at": "2099-01-01T00:00:00Z"}
    )
    assert far.refusal == (422, "invalid")


def test_revoking_a_token_revokes_its_descendants(staff: AdminSite, admin: LocalTerminal) -> None:
    """The chain can be read first, and a second revocation has no further effect."""
    agent, user = staff.ids["agent"], admin.user.id
    child = staff.local.admin.token(
        agent, user, "child", parent_id=staff.ids["delegation"], depth=1
    )
    path = f"/api/admin/delegations/{staff.ids['delegation']}"
    chain = admin.call("GET", path).json
    assert [after["id"] for after in chain["after"]] == [child.id]
    assert admin.call("GET", f"/api/admin/delegations/{child.id}").json["before"][0]["id"] == "t1"
    revoked = admin.call("POST", f"{path}/revoke").json
    assert (revoked["delegation"]["state"], revoked["tokens_revoked"]) == ("revoked", 2)
    assert admin.call("POST", f"{path}/revoke").json["tokens_revoked"] == 0
    assert admin.call("GET", "/api/admin/delegations/none").refusal == (404, "not_found")


def test_widening_an_agents_served_resources_and_token_lifetime_needs_a_signature(
    staff: AdminSite, admin: LocalTerminal
) -> None:
    """Narrowing them needs no signature; null removes the limit and is a widening."""
    path = f"/api/agents/{staff.ids['agent']}"

    def change(body: dict[str, object], *, signed: bool) -> Answer:
        version = staff.version(path)
        if signed:
            return admin.administer("PATCH", path, body, version=version)
        return admin.call("PATCH", path, body, headers={"if-match": f'"{version}"'})

    more: list[dict[str, object]] = [
        {"serves": [PAY]},
        {"token_seconds": 301},
        {"token_seconds": 400},
        {"token_seconds": None},
    ]
    for body in more:
        assert change(body, signed=False).refusal == (403, "statement_required")
        changed = change(body, signed=True).json
        assert {name: changed[name] for name in body} == body
    narrower: list[dict[str, object]] = [
        {"token_seconds": 300},
        {"token_seconds": 30},
        {"serves": []},
        {"only": {PAY: ["payments:read"]}},
        {"only": {PAY: []}},
    ]
    for body in narrower:
        changed = change(body, signed=False).json
        assert {name: changed[name] for name in body} == body
    for wider in ({"only": {PAY: ["payments:read"]}}, {"only": {}}):
        assert change(wider, signed=False).refusal == (403, "statement_required")
        assert change(wider, signed=True).json["only"] == wider["only"]


def test_a_resources_token_lifetime_is_changed(staff: AdminSite, admin: LocalTerminal) -> None:
    """A longer lifetime needs a signature, and a shorter one does not."""
    new = {"uri": "https://new.example", "token_seconds": 60}
    resource = admin.administer("POST", "/api/resources", new).json["resource"]
    assert resource["token_seconds"] == 60
    path = f"/api/resources/{resource['id']}"
    version_header = {"if-match": f'"{staff.version(path)}"'}
    shorter = admin.call("PATCH", path, {"token_seconds": 30}, headers=version_header).json
    assert shorter["token_seconds"] == 30
    body = {"token_seconds": None}
    longer = admin.administer("PATCH", path, body, version=staff.version(path)).json
    assert longer["token_seconds"] is None


def test_an_app_is_registered_changed_disabled_and_deleted(
    staff: AdminSite, admin: LocalTerminal
) -> None:
    """The secret is returned once, and changing redirect URIs needs a signature."""
    body = {
        "name": "front",
        "redirect_uris": ["https://front.example/cb"],
        "post_logout_redirect_uris": ["https://front.example/"],
        "grant_types": ["authorization_code"],
        "resources": [PAY],
        "scopes": ["payments:read"],
        "id_token_signed_response_alg": "RS256",
        "dpop_bound_access_tokens": True,
    }
    created = admin.administer("POST", "/api/apps", body).json
    app = created["app"]
    assert {name: app[name] for name in body} == body
    assert created["client_secret"].startswith("sayso_cs_")
    path = f"/api/apps/{app['client_id']}"
    assert admin.call("GET", path).json == app
    version = {"if-match": f'"{app["version"]}"'}
    other_uris = {"redirect_uris": ["https://evil.example/cb"]}
    assert admin.call("PATCH", path, other_uris, headers=version).refusal[1] == "statement_required"
    no_types = admin.call("PATCH", path, {"action_types": []}, headers=version).json
    assert (app["action_types"], no_types["action_types"]) == (None, [])
    version = {"if-match": f'"{no_types["version"]}"'}
    every = admin.call("PATCH", path, {"action_types": None}, headers=version)
    assert every.refusal[1] == "statement_required"
    disabled = admin.call("PATCH", path, {"enabled": False, "scopes": []}, headers=version).json
    assert (disabled["state"], disabled["scopes"]) == ("disabled", [])
    assert _patch(staff, path, {"enabled": True, "name": "front-2"}).json["state"] == "enabled"
    assert _patch(staff, path, {"action_types": None}).json["action_types"] is None
    renewed = admin.administer("POST", f"{path}/secret", {"overlap": 0}).json
    assert len(renewed["app"]["secrets"]) == 1
    keyed = {
        "name": "keyed",
        "redirect_uris": ["https://front.example/cb"],
        "auth_method": "private_key_jwt",
        "jwks": {"keys": [{**JWK, "kid": "a"}]},
    }
    other = admin.administer("POST", "/api/apps", keyed).json
    assert other["client_secret"] is None
    jwks = {"jwks": {"keys": [{**JWK, "kid": "b"}]}}
    changed = _patch(staff, f"/api/apps/{other['app']['client_id']}", jwks).json
    assert changed["keys"] == [{**JWK, "kid": "b", "alg": "ES256"}]
    assert admin.call("DELETE", path).status == 204
    assert admin.call("GET", path).refusal == (404, "not_found")


def test_every_member_of_a_record_is_in_its_api_model() -> None:
    """A member that is added to a record must be added to the API too."""
    expected_members = {
        Agent: (agent_wire.ManagedAgent, {"id": "client_id", "jwks": "keys", **_AGENT_MEMBERS}),
        Resource: (resources.ManagedResource, {}),
        User: (user_wire.ManagedUser, {}),
        NewInvitation: (invitations.NewInvitation, {}),
        App: (app_routes.ManagedApp, {"id": "client_id", "jwks": "keys", **_AGENT_MEMBERS}),
    }
    for record, (model, names) in expected_members.items():
        members = {names.get(field.name, field.name) for field in fields(record)}
        assert members <= set(model.model_fields), record
