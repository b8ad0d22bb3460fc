"""RFC 7591 and RFC 7592 over real HTTP: a registered client works; a refusal leaves nothing."""

from typing import Any

import httpx
import jwt
import pytest

from server.protocol.names import GRANT_CLIENT_CREDENTIALS
from server.services.clients.agents import Agents
from server.services.clients.invitations import Invitations, NewInvitation
from tests.support.builders.installation import PAY
from tests.support.checks.refusals import MARK, assert_unchanged, check_refusal
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal
from tests.support.fakes.receiver import receiver
from tests.support.servers.server import BY, AgentKey, LiveServer


def _invite(server: LiveServer, owner: str, **members: Any) -> str:
    services = server.services
    ceiling = {"resources": (PAY,), "scopes": ("payments:read",), **members}
    invitations = Invitations(services.store, services.secrets)
    return invitations.issue(NewInvitation(owner, **ceiling), by=BY).token


def _register(http: httpx.Client, token: str, **members: Any) -> httpx.Response:
    return http.post("/register", json=members, headers={"Authorization": f"Bearer {token}"})


def _count(server: LiveServer) -> int:
    return len(Agents(server.services.store, server.services.secrets).all())


def test_the_registration_endpoint_is_advertised(http: httpx.Client) -> None:
    """RFC 8414 2: a client can find the endpoint in the metadata."""
    document = http.get("/.well-known/oauth-authorization-server").json()
    assert document["registration_endpoint"] == f"{document['issuer']}/register"


def test_a_registered_agent_asks_its_owner_and_gets_a_token(
    server: LiveServer, http: httpx.Client, person: Terminal
) -> None:
    """DC-02, DC-03, CL-13: a new agent can ask only its owner, get a token, and delete itself."""
    response = _register(http, _invite(server, person.user), client_name="helper")
    assert (response.status_code, response.headers["content-type"]) == (201, "application/json")
    assert response.headers["cache-control"] == "no-store"
    registration = response.json()
    assert registration["client_secret_expires_at"] == 0
    agent = Agent(
        AgentKey(registration["client_id"], registration["client_secret"], "helper"), http
    )
    other_user = server.user()[0]
    check_refusal(agent.ask(other_user), 400, "unknown_user_id")
    handle = agent.request_approval(person.user)
    person.approve(person.only_request())
    tokens = agent.poll(handle).json()
    assert jwt.get_unverified_header(tokens["id_token"])["alg"] == "RS256"
    own = {"Authorization": f"Bearer {registration['registration_access_token']}"}
    path = registration["registration_client_uri"].removeprefix(server.url)
    assert http.get(path, headers=own).json()["client_name"] == "helper"
    assert http.delete(path, headers=own).status_code == 204
    check_refusal(agent.ask(person.user), 401, "invalid_client")
    after_deletion = http.get(path, headers=own)
    assert (after_deletion.status_code, after_deletion.json()["error"]) == (401, "invalid_token")


_LOOK_ALIKES = [
    "lnvoice-bot",
    "1nvoice-bot",
    "Invoice-Bot",
    "invoice_bot",
    "invoice bot",
    "invoicebot",
    "invoice.bot",
    "inv0ice-bot",
    "inv\u0585ice-bot",
    "\u0456nvoice-bot",
    "\uff49nvoice-bot",
    "invoice-b\u043et",
]


def test_an_agent_cannot_take_a_look_alike_name(
    server: LiveServer, http: httpx.Client, person: Terminal
) -> None:
    """The name is refused at registration and at an update, and nothing is stored."""
    server.agent(name="invoice-bot")
    invitation = _invite(server, person.user, uses=2)
    helper = _register(http, invitation, client_name="weather-helper").json()
    own = {"Authorization": f"Bearer {helper['registration_access_token']}"}
    path = helper["registration_client_uri"].removeprefix(server.url)
    with assert_unchanged(server):
        for name in _LOOK_ALIKES:
            body = {"client_id": helper["client_id"], "client_name": name}
            for refused in (
                _register(http, invitation, client_name=name),
                http.put(path, json=body, headers=own),
            ):
                check_refusal(refused, 400, "invalid_client_metadata")
                assert "client_name" in refused.json()["error_description"]
    assert http.get(path, headers=own).json()["client_name"] == "weather-helper"


@pytest.mark.parametrize("token", ["x", "sayso_it_" + MARK, "Bearer", "a b"])
def test_registration_needs_an_invitation(
    server: LiveServer, http: httpx.Client, token: str
) -> None:
    """DC-05: without one the answer is 401 with the challenge of RFC 6750, and repeats nothing."""
    before = _count(server)
    response = _register(http, token)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert MARK not in response.text
    assert _count(server) == before


_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "DC-08": ({"redirect_uris": [f"javascript:{MARK}"]}, "invalid_redirect_uri"),
    "DC-04-statement": ({"software_statement": MARK}, "invalid_software_statement"),
    "DC-04-unapproved": ({"software_statement": f"{MARK}.a.b"}, "unapproved_software_statement"),
    "DC-06": ({"jwks": {"keys": []}, "jwks_uri": f"https://{MARK}"}, "invalid_client_metadata"),
    "DC-07": ({"response_types": ["code"]}, "invalid_client_metadata"),
    "DC-09": ({"grant_types": [GRANT_CLIENT_CREDENTIALS]}, "invalid_client_metadata"),
    "DC-10": ({"token_endpoint_auth_method": "none"}, "invalid_client_metadata"),
    "DC-11": ({"jwks_uri": "http://169.254.169.254/"}, "invalid_client_metadata"),
    "NG-105-grant": ({"grant_types": [MARK]}, "invalid_client_metadata"),
    "NG-105-scope": ({"scope": "payments:transfer"}, "invalid_client_metadata"),
    "NG-105-name": ({"client_name": f"sayso_{MARK}"}, "invalid_client_metadata"),
}


@pytest.mark.parametrize(("members", "code"), _REFUSED.values(), ids=_REFUSED)
def test_unregistrable_metadata_is_refused(
    server: LiveServer, http: httpx.Client, user: str, members: dict[str, Any], code: str
) -> None:
    """The error is one of RFC 7591 3.2.2, and nothing is created or fetched."""
    token, before = _invite(server, user), _count(server)
    with assert_unchanged(server):
        check_refusal(_register(http, token, **members), 400, code)
    assert _count(server) == before


_URLS = (
    *("client_uri", "logo_uri", "policy_uri", "tos_uri", "sector_identifier_uri"),
    *("initiate_login_uri", "jwks_uri", "backchannel_logout_uri", "software_statement_uri"),
)
_REFUSED_URLS = ("jwks_uri", "backchannel_logout_uri")


@pytest.mark.parametrize("name", _URLS)
def test_no_url_of_a_client_is_fetched(
    server: LiveServer, http: httpx.Client, user: str, name: str
) -> None:
    """NG-103, DC-11: neither a registration nor an update fetches a URL of the client."""
    with receiver() as endpoint:
        registered = _register(http, _invite(server, user), **{name: endpoint.url()})
        if name in _REFUSED_URLS:
            check_refusal(registered, 400, "invalid_client_metadata")
        else:
            registration = registered.json()
            assert registered.status_code == 201
            assert name not in registration
            own = {"Authorization": f"Bearer {registration['registration_access_token']}"}
            path = registration["registration_client_uri"].removeprefix(server.url)
            changed = {"client_id": registration["client_id"], name: endpoint.url()}
            assert http.put(path, json=changed, headers=own).status_code == 200
        assert endpoint.got == []


def test_another_agents_registration_token_is_refused(
    server: LiveServer, http: httpx.Client, user: str
) -> None:
    """NG-104: another agent's token cannot read, change or delete a registration."""
    token = _invite(server, user, uses=2)
    first, second = (_register(http, token).json() for _ in range(2))
    stolen = {"Authorization": f"Bearer {first['registration_access_token']}"}
    path = f"/register/{second['client_id']}"
    body = {"client_id": second["client_id"], "scope": ""}
    for response in (
        http.get(path, headers=stolen),
        http.put(path, headers=stolen, json=body),
        http.delete(path, headers=stolen),
    ):
        assert (response.status_code, response.json()["error"]) == (401, "invalid_token")
    own = {"Authorization": f"Bearer {second['registration_access_token']}"}
    assert http.get(path, headers=own).json()["scope"] == "payments:read"


def test_registration_metadata_is_json_of_limited_size(
    server: LiveServer, http: httpx.Client, user: str
) -> None:
    """DC-01, DC-12: a form is refused, and so is a JSON body of 40 KB."""
    bearer = {"Authorization": f"Bearer {_invite(server, user)}"}
    form = http.post("/register", data={"client_name": "x"}, headers=bearer)
    check_refusal(form, 400, "invalid_client_metadata")
    large = http.post("/register", json={"x": "x" * 40_000}, headers=bearer)
    check_refusal(large, 400, "invalid_client_metadata")


_MODE, _PLACE = "backchannel_token_delivery_mode", "backchannel_client_notification_endpoint"
_SIGNED, _CODE = "backchannel_authentication_request_signing_alg", "backchannel_user_code_parameter"
_LOCAL_URL = "http://127.0.0.1:9/hook"


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({_MODE: "carrier pigeon"}, id="CB-007-unknown-mode"),
        pytest.param({_MODE: ["ping"]}, id="CB-007-array"),
        pytest.param({_MODE: "ping"}, id="CB-008-ping-without-a-place"),
        pytest.param({_MODE: "push"}, id="CB-008-push-without-a-place"),
        pytest.param({_MODE: "ping", _PLACE: "http://bot.example/x"}, id="CB-009-http"),
        pytest.param({_MODE: "ping", _PLACE: "https://10.0.0.1/x"}, id="CB-009-inside"),
        pytest.param({_MODE: "ping", _PLACE: "https://169.254.169.254/x"}, id="CB-009-metadata"),
        pytest.param({_MODE: "ping", _PLACE: "https://a:b@bot.example/x"}, id="CB-009-user"),
        pytest.param({_MODE: "ping", _PLACE: "file:///etc/passwd"}, id="CB-009-file"),
        pytest.param({_MODE: "ping", _PLACE: "https://bot.example:22/x"}, id="CB-009-port"),
        pytest.param({_PLACE: _LOCAL_URL}, id="CB-008-poll-with-a-place"),
        pytest.param({_SIGNED: "none"}, id="CB-010-none"),
        pytest.param({_SIGNED: "HS256"}, id="CB-010-hmac"),
        pytest.param({_SIGNED: "ES512"}, id="CB-010-not-listed"),
        pytest.param({_SIGNED: "ES256"}, id="CB-010-without-a-key"),
        pytest.param({_CODE: "true"}, id="CB-011-text"),
        pytest.param({_CODE: 1}, id="CB-011-number"),
    ],
)
def test_invalid_ciba_metadata_is_refused(
    server: LiveServer, http: httpx.Client, user: str, members: dict[str, Any]
) -> None:
    """CB-007 to CB-011, NG-009: the error is that of RFC 7591, and nobody is registered."""
    token = _invite(server, user)
    count = _count(server)
    check_refusal(_register(http, token, **members), 400, "invalid_client_metadata")
    assert _count(server) == count


def test_ciba_metadata_is_returned_with_its_defaults(
    server: LiveServer, http: httpx.Client
) -> None:
    """CB-007, CB-011, CB-078: omitted members have defaults, and PAR is never required."""
    owner = server.user()[0]
    registration = _register(http, _invite(server, owner)).json()
    assert (registration[_MODE], registration[_CODE]) == ("poll", False)
    members = {_MODE: "ping", _PLACE: _LOCAL_URL, _CODE: True}
    par = {"require_pushed_authorization_requests": True}
    registration = _register(http, _invite(server, owner), **members, **par).json()
    assert {name: registration[name] for name in members} == members
    assert not par.keys() & registration.keys()
    agent = Agent(
        AgentKey(registration["client_id"], registration["client_secret"], "pinged"), http
    )
    assert agent.ask(owner, client_notification_token="t0ken").status_code == 200
