"""Dynamic registration: the invitation sets the owner and the limits of an agent."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from server.protocol.names import GRANT_CIBA, GRANT_CLIENT_CREDENTIALS
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.invitations import Invitations, NewInvitation
from server.services.refusals import Conflict, Invalid, NotFound
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.builders.site import Answer, LocalSite

JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
KEYS = {"keys": [{**JWK, "kid": "a"}]}
SIGNED = "backchannel_authentication_request_signing_alg"


@dataclass(frozen=True)
class Registrations:
    """The registration endpoint and the invitations."""

    local: LocalSite

    @property
    def invitations(self) -> Invitations:
        """The administration of invitations."""
        return Invitations(self.local.admin.store, self.local.admin.secrets)

    def invite(self, **members: Any) -> str:
        """Return the token of an invitation whose owner is Ana."""
        return self.invitations.issue(NewInvitation("ana", **members), by=BY).token

    def send(
        self, method: str, path: str, token: str | None, members: dict[str, Any] | None = None
    ) -> Answer:
        """Send a request with a bearer token and JSON."""
        content_type = {"content-type": "application/json"}
        bearer = {} if token is None else {"authorization": f"Bearer {token}"}
        body = b"" if members is None else json.dumps(members).encode()
        return self.local.send(method, path, headers={**content_type, **bearer}, body=body)

    def register(self, token: str | None, **members: Any) -> Answer:
        """Send POST /register."""
        return self.send("POST", "/register", token, members)

    def registered(self, token: str, **members: Any) -> dict[str, Any]:
        """Send POST /register, which must succeed; return the registration."""
        answer = self.register(token, **members)
        assert answer.status == 201, answer.body
        return answer.json

    def manage(self, method: str, registered: dict[str, Any], **members: Any) -> Answer:
        """Send a request to an agent's own registration."""
        path = f"/register/{registered['client_id']}"
        body = {"client_id": registered["client_id"], **members} if method == "PUT" else None
        return self.send(method, path, registered["registration_access_token"], body)


@pytest.fixture
def registrations(local: LocalSite) -> Registrations:
    """The prepared installation."""
    return Registrations(local)


def test_a_registered_agent_belongs_to_the_inviting_owner(registrations: Registrations) -> None:
    """The response has the registered values; the agent may ask only its owner."""
    token = registrations.invite(resources=(PAY,), scopes=("payments:read",))
    registered = registrations.registered(token, client_name="helper", contacts=["x"])
    agent, (owner,) = registrations.local.admin.agents.show("helper")
    assert (owner.name, agent.asks) == ("ana", (owner.id,))
    assert registered == {
        "client_id": agent.id,
        "client_id_issued_at": registrations.local.clock.now() // 1000,
        "client_secret": registered["client_secret"],
        "client_secret_expires_at": 0,
        "registration_access_token": registered["registration_access_token"],
        "registration_client_uri": f"http://localhost:8470/register/{agent.id}",
        "client_name": "helper",
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": [GRANT_CIBA],
        "response_types": [],
        "scope": "payments:read",
        "id_token_signed_response_alg": "RS256",
        "dpop_bound_access_tokens": False,
        "backchannel_token_delivery_mode": "poll",
        "backchannel_user_code_parameter": False,
    }
    (entry,) = [
        entry
        for entry in registrations.local.admin.entries("agent.added")
        if entry["agent_id"] == agent.id
    ]
    assert entry["actor"] == f"invitation:{entry['facts']['invitation']}"
    stored = str(registrations.local.admin.entries()) + str(agent)
    for secret in ("client_secret", "registration_access_token"):
        assert registered[secret] not in stored


def test_an_agent_registered_with_keys_gets_no_secret(registrations: Registrations) -> None:
    """The response has the agent's keys and no secret."""
    method = {"token_endpoint_auth_method": "private_key_jwt"}
    registered = registrations.registered(
        registrations.invite(), jwks=KEYS, **method, **{SIGNED: "ES256"}
    )
    assert "client_secret" not in registered
    assert "client_secret_expires_at" not in registered
    assert registered["jwks"]["keys"][0]["kid"] == "a"
    assert registered["client_name"].startswith("agent-")
    assert registered[SIGNED] == "ES256"


def test_an_invitation_is_used_as_often_as_it_allows(registrations: Registrations) -> None:
    """A refused registration does not count as a use."""
    token = registrations.invite(uses=2)
    assert registrations.register(token, client_name="invoice-bot").status == 400
    registrations.registered(token)
    registrations.registered(token)
    assert registrations.register(token).refusal == (401, "invalid_token")


def test_an_invalid_or_ended_invitation_is_refused(registrations: Registrations) -> None:
    """A revoked, expired, unknown or missing invitation, or a disabled owner, gets 401."""
    first, second, third = (
        registrations.invite(),
        registrations.invite(),
        registrations.invite(expires_at=None),
    )
    invitations = {item.token_hash: item for item in registrations.invitations.page("", 10).items}
    assert len(invitations) == 3
    revoked = [
        invitation
        for invitation in invitations.values()
        if registrations.invitations.revoke(invitation.id, by=BY).revoked_at
    ]
    assert len(revoked) == 3
    for token in (first, second, third, "sayso_it_none", "", None):
        answer = registrations.register(token)
        assert answer.refusal == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    token = registrations.invite()
    registrations.local.clock.forward(7 * DAY)
    assert registrations.register(token).refusal == (401, "invalid_token")
    token = registrations.invite()
    registrations.local.admin.users.disable("ana", by=BY)
    assert registrations.register(token).refusal == (401, "invalid_token")
    assert len(registrations.local.admin.agents.all()) == 1


def test_the_last_use_of_an_invitation_is_granted_once(
    registrations: Registrations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If two registrations race for the last use, one of them is refused."""
    token = registrations.invite()
    monkeypatch.setattr("server.storage.clients.registrations.Invitations.spend", lambda *_: False)
    assert registrations.register(token).refusal == (401, "invalid_token")


def test_guessing_invitations_is_rate_limited_per_address(registrations: Registrations) -> None:
    """DC-12: after twenty unknown tokens the address must wait; valid ones still work."""
    version = registrations.local.admin.version()
    for _ in range(20):
        assert registrations.register("sayso_it_guess").refusal == (401, "invalid_token")
    slowed = registrations.register("sayso_it_guess")
    assert slowed.refusal == (503, "temporarily_unavailable")
    assert slowed.headers["Retry-After"] == "60"
    assert registrations.local.admin.version() == version
    registrations.registered(registrations.invite())
    registrations.local.clock.forward(11 * MINUTE)
    assert registrations.register("sayso_it_guess").refusal == (401, "invalid_token")


WIDER: dict[str, dict[str, Any]] = {
    "DC-09 a grant type beyond the invitation": {"grant_types": [GRANT_CLIENT_CREDENTIALS]},
    "DC-09 both grants": {"grant_types": [GRANT_CIBA, GRANT_CLIENT_CREDENTIALS]},
    "another grant": {"grant_types": ["password"]},
    "no grant": {"grant_types": []},
    "a scope": {"scope": "payments:read payments:transfer"},
    "a type": {"authorization_details_types": ["payment.transfer"]},
    "a taken name": {"client_name": "Invoice-Bot"},
    "a name with a look-alike letter": {"client_name": "lnvoice-bot"},
    "a name with another separator": {"client_name": "invoice_bot"},
    "a name of two scripts": {"client_name": "inv\u0585ice-bot"},
    "a name of wide letters": {"client_name": "\uff49nvoice-bot"},
    "the name of its owner": {"client_name": "Ana"},
    "a name like an ID": {"client_name": "sayso_ag_x"},
    "a name that cannot be shown": {"client_name": "a\u202eb"},
}


@pytest.mark.parametrize("members", WIDER.values(), ids=WIDER)
def test_an_agent_cannot_exceed_its_invitation(
    registrations: Registrations, members: dict[str, Any]
) -> None:
    """The limits of the invitation apply to the registration and to every update."""
    ceiling = {"resources": (PAY,), "scopes": ("payments:read",), "action_types": ()}
    token = registrations.invite(uses=2, **ceiling)
    assert registrations.register(token, **members).refusal == (400, "invalid_client_metadata")
    registered = registrations.registered(token)
    if "grant_types" in members and not members["grant_types"]:
        return
    assert registrations.manage("PUT", registered, **members).refusal == (
        400,
        "invalid_client_metadata",
    )


def test_a_refused_client_name_names_the_member_and_the_remedy(
    registrations: Registrations,
) -> None:
    """The error does not contain the existing name, which the agent may not know."""
    registered = registrations.registered(registrations.invite(uses=2), client_name="helper")
    for name, description in (
        (
            "he1per",
            (
                "client_name is taken, or can be confused with a name that is. Choose a different "
                "name."
            ),
        ),
        ("h\u0435lper", "client_name mixes Cyrillic and Latin characters; use one script."),
    ):
        answer = registrations.register(registrations.invite(), client_name=name)
        assert answer.json["error_description"] == description
    registered = registrations.manage("PUT", registered, client_name="HELPER").json
    assert registered["client_name"] == "HELPER"


@pytest.mark.parametrize("hidden", [False, True], ids=["open", "hidden"])
def test_a_refused_name_does_not_reveal_users(
    open_local: Callable[..., LocalSite], *, hidden: bool
) -> None:
    """Only the names of users that the agent may ask are taken; if hidden, only its owner's."""
    registrations = Registrations(open_local(unknown_user="hide" if hidden else "answer"))
    for name in ("ben", "eva"):
        new_person(registrations.local, name)
    registered = registrations.registered(registrations.invite(asks=("ben",)), client_name="helper")
    refusal = (400, "invalid_client_metadata")
    assert registrations.manage("PUT", registered, client_name="4na").status == 200
    assert registrations.manage("PUT", registered, client_name="Ana").refusal == refusal
    assert registrations.manage("PUT", registered, client_name="eva").status == 200
    answer = registrations.manage("PUT", registered, client_name="ben")
    assert answer.status == 200 if hidden else answer.refusal == refusal


def test_an_agent_that_renames_itself_is_logged_and_its_owner_notified(
    registrations: Registrations,
) -> None:
    """The audit entry names the agent as the actor, and its owner gets one event."""
    registered = registrations.registered(registrations.invite(), client_name="weather-helper")
    registrations.manage("PUT", registered, client_name="weather-helper")
    registrations.manage("PUT", registered, client_name="storm-helper")
    (entry,) = registrations.local.admin.entries("agent.renamed")
    assert entry["actor"] == f"agent:{registered['client_id']}"
    assert entry["facts"] == {"name": "storm-helper", "was": "weather-helper"}
    (owner,) = registrations.local.admin.agents.show("storm-helper")[1]
    assert registrations.local.admin.events(owner).count("agent.renamed") == 1


@pytest.mark.parametrize("how", ["secret", "keys"])
def test_rotating_credentials_ends_the_registration_token(
    registrations: Registrations, how: str
) -> None:
    """The registration token may have leaked with the credentials, so it ends with them."""
    members = {"jwks": KEYS} if how == "keys" else {}
    registered = registrations.registered(registrations.invite(), **members)
    agents = registrations.local.admin.agents
    changes = AgentChanges(description="Narrower than it was")
    agents.update(registered["client_id"], changes, by=BY)
    assert registrations.manage("GET", registered).status == 200
    if how == "keys":
        new_jwks = json.dumps({"keys": [{**JWK, "kid": "b"}]})
        agents.update(registered["client_id"], AgentChanges(jwks=new_jwks), by=BY)
    else:
        agents.rotate_secret(registered["client_id"], by=BY)
    for method in ("GET", "PUT", "DELETE"):
        assert registrations.manage(method, registered, **members).refusal == (401, "invalid_token")


def test_an_agent_may_register_for_less_than_its_invitation(registrations: Registrations) -> None:
    """A registration can leave out scopes and grants, and can require DPoP."""
    grant_types = (GRANT_CIBA, GRANT_CLIENT_CREDENTIALS)
    token = registrations.invite(
        uses=2, grant_types=grant_types, resources=(PAY,), scopes=("payments:read",), asks=None
    )
    registered = registrations.registered(
        token,
        grant_types=[GRANT_CLIENT_CREDENTIALS],
        scope="openid",
        authorization_details_types=["payment.transfer"],
        dpop_bound_access_tokens=True,
    )
    assert (registered["grant_types"], registered["scope"]) == ([GRANT_CLIENT_CREDENTIALS], "")
    assert registered["authorization_details_types"] == ["payment.transfer"]
    assert registrations.local.admin.agents.show(registered["client_id"])[0].asks is None
    unknown = registrations.register(token, authorization_details_types=["nothing"])
    assert unknown.refusal == (400, "invalid_client_metadata")


def test_an_invitation_for_a_deleted_resource_is_refused(registrations: Registrations) -> None:
    """The error tells the agent to request a new invitation."""
    token = registrations.invite(resources=(PAY,), scopes=("payments:read",))
    registrations.local.admin.resources.delete(PAY, by=BY)
    answer = registrations.register(token)
    assert answer.refusal == (400, "invalid_client_metadata")
    assert "Ask for a new one" in answer.json["error_description"]


def test_an_agent_can_only_read_its_own_registration(registrations: Registrations) -> None:
    """DC-20, DC-21, DC-25: another agent's token or ID, and the invitation, are refused."""
    token = registrations.invite(uses=2)
    first, second = registrations.registered(token), registrations.registered(token)
    answer = registrations.manage("GET", first)
    secret = {"client_secret", "client_secret_expires_at"}
    assert answer.json == {name: value for name, value in first.items() if name not in secret}
    before = registrations.local.admin.agents.show(second["client_id"])[0]
    stolen = {**second, "registration_access_token": first["registration_access_token"]}
    nobody = {**first, "client_id": "sayso_ag_none"}
    bare = {**first, "registration_access_token": token}
    for credentials in (stolen, nobody, bare):
        for method in ("GET", "PUT", "DELETE"):
            assert registrations.manage(method, credentials).refusal == (401, "invalid_token")
    assert registrations.local.admin.agents.show(second["client_id"])[0] == before


def test_members_missing_from_an_update_return_to_their_defaults(
    registrations: Registrations,
) -> None:
    """DC-23: an update cannot widen the scopes, and it keeps the name."""
    token = registrations.invite(resources=(PAY,), scopes=("payments:read", "payments:transfer"))
    registered = registrations.registered(
        token, client_name="helper", id_token_signed_response_alg="ES256"
    )
    changed = registrations.manage(
        "PUT", registered, scope="payments:read", client_name="helper-2"
    ).json
    assert (changed["scope"], changed["client_name"]) == ("payments:read", "helper-2")
    assert changed["id_token_signed_response_alg"] == "RS256"
    unchanged = registrations.manage(
        "PUT", registered, client_secret=registered["client_secret"]
    ).json
    assert (unchanged["scope"], unchanged["client_name"]) == ("payments:read", "helper-2")
    wider = registrations.manage("PUT", registered, scope="payments:transfer")
    assert wider.refusal == (400, "invalid_client_metadata")
    wrong = registrations.manage("PUT", registered, client_secret="sayso_cs_wrong")
    assert wrong.refusal == (400, "invalid_client_metadata")
    updates = registrations.local.admin.entries("agent.updated")
    assert [entry["actor"] for entry in updates] == [f"agent:{registered['client_id']}"]


def test_an_update_cannot_restore_removed_permissions(registrations: Registrations) -> None:
    """An agent cannot regain permissions or free itself from signing or DPoP."""
    token = registrations.invite(resources=(PAY,), scopes=("payments:read",))
    registered = registrations.registered(token, jwks=KEYS, **{SIGNED: "ES256"})
    narrower = AgentChanges(scopes=(), action_types=("payment.transfer",), dpop_bound=True)
    registrations.local.admin.agents.update(registered["client_id"], narrower, by=BY)
    unsigned = registrations.manage("PUT", registered)
    assert unsigned.refusal == (400, "invalid_client_metadata")
    updated = registrations.manage(
        "PUT", registered, jwks=KEYS, dpop_bound_access_tokens=False
    ).json
    assert (updated["scope"], updated["dpop_bound_access_tokens"], updated[SIGNED]) == (
        "",
        True,
        "ES256",
    )
    assert updated["authorization_details_types"] == ["payment.transfer"]


def test_an_agent_may_change_from_secrets_to_keys_and_back(registrations: Registrations) -> None:
    """Changing to keys deletes its secret, and changing back creates a new secret."""
    registered = registrations.registered(registrations.invite())
    with_keys = registrations.manage(
        "PUT", registered, token_endpoint_auth_method="private_key_jwt", jwks=KEYS
    ).json
    assert "client_secret" not in with_keys
    assert registrations.local.admin.agents.show(registered["client_id"])[0].secrets == ()
    with_secret = registrations.manage(
        "PUT", registered, token_endpoint_auth_method="client_secret_post"
    ).json
    assert with_secret["client_secret"].startswith("sayso_cs_")
    assert "jwks" not in with_secret


def test_a_disabled_agent_cannot_manage_its_registration(registrations: Registrations) -> None:
    """The registration token of a disabled agent is refused for every method."""
    registered = registrations.registered(registrations.invite())
    registrations.local.admin.agents.disable(registered["client_id"], by=BY)
    for method in ("GET", "PUT", "DELETE"):
        assert registrations.manage(method, registered).refusal == (401, "invalid_token")


def test_deleting_a_registration_ends_its_requests_and_tokens(registrations: Registrations) -> None:
    """DC-24: after that, the agent is deleted and its registration token is refused."""
    token = registrations.invite(resources=(PAY,), scopes=("payments:read",), asks=None)
    registered = registrations.registered(token)
    admin = registrations.local.admin
    ben = new_person(registrations.local, "ben").user
    approval, issued_token = (
        admin.approval(registered["client_id"], ben.id),
        admin.token(registered["client_id"], None),
    )
    answer = registrations.manage("DELETE", registered)
    assert (answer.status, answer.body) == (204, b"")
    assert admin.revoked(issued_token)
    assert str(admin.state(approval)[0]) == "cancelled"
    assert registrations.manage("GET", registered).refusal == (401, "invalid_token")
    with pytest.raises(NotFound):
        admin.agents.show(registered["client_id"])


def test_disabling_during_a_registration_request_refuses_it(
    registrations: Registrations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit of work checks again, in case the agent or the owner was just disabled."""
    registered, invited = registrations.registered(registrations.invite()), registrations.invite()
    registrations.local.admin.agents.disable(registered["client_id"], by=BY)
    registrations.local.admin.users.disable("ana", by=BY)
    monkeypatch.setattr(
        "server.services.clients.registration.RegistrationService._check_token", lambda *_: None
    )
    for method in ("GET", "PUT", "DELETE"):
        assert registrations.manage(method, registered).refusal == (401, "invalid_token")
    assert registrations.register(invited).refusal == (401, "invalid_token")
    assert registrations.register("unknown").refusal == (401, "invalid_token")


def test_an_invalid_invitation_is_refused(registrations: Registrations) -> None:
    """Every member is checked, and the owner must exist and be enabled."""
    for wrong in (
        {"uses": 0},
        {"uses": 1_001},
        {"expires_at": registrations.local.clock.now()},
        {"expires_at": registrations.local.clock.now() + 91 * DAY},
        {"scopes": ("nothing",)},
        {"grant_types": ("password",)},
    ):
        with pytest.raises(Invalid):
            registrations.invite(**wrong)
    for unknown in ({"action_types": ("nothing",)}, {"asks": ("nobody",)}):
        with pytest.raises(NotFound):
            registrations.invite(**unknown)
    with pytest.raises(NotFound):
        registrations.invitations.issue(NewInvitation("nobody"), by=BY)
    registrations.local.admin.actions.update(json.dumps({**PAYMENT, "risk": "low"}), by=BY)
    registrations.local.admin.users.disable("ana", by=BY)
    with pytest.raises(Conflict):
        registrations.invite()
    assert registrations.local.admin.entries("invitation.issued") == []


def test_a_registered_notification_endpoint_must_be_public(registrations: Registrations) -> None:
    """NG-103: registrations and updates check it; without an endpoint the agent polls."""
    mode, endpoint = "backchannel_token_delivery_mode", "backchannel_client_notification_endpoint"
    public = {mode: "ping", endpoint: "https://1.1.1.1/ciba"}
    registered = registrations.registered(registrations.invite(), **public)
    assert {name: registered[name] for name in public} == public
    internal = {mode: "ping", endpoint: "https://169.254.169.254/"}
    assert registrations.register(registrations.invite(), **internal).refusal == (
        400,
        "invalid_client_metadata",
    )
    assert registrations.manage("PUT", registered, **internal).refusal == (
        400,
        "invalid_client_metadata",
    )
    polling_agent = registrations.manage("PUT", registered).json
    assert (polling_agent[mode], endpoint in polling_agent) == ("poll", False)


def test_user_code_support_cannot_be_removed_by_the_agent(registrations: Registrations) -> None:
    """CB-011: an agent can turn user codes on, but cannot turn them off again."""
    member = "backchannel_user_code_parameter"
    registered = registrations.registered(registrations.invite(), **{member: True})
    assert registered[member] is True
    assert registrations.manage("PUT", registered).json[member] is True
