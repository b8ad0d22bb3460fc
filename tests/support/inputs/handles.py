"""One handle of each kind: everything that the server issues, or takes because it is signed.

Owns: collecting them from a running server. `handle_endpoints.py` has the endpoints; the test says
which handles each endpoint takes, and how it must answer all others.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from approver_tui.client.devices import unlocking
from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.jose import SigningKey
from approver_tui.client.sign_in.tokens import load
from server.crypto.passwords import Argon2Passwords
from server.protocol.names import APP_GRANTS, APPROVER_CLIENT, GRANT_CLIENT_CREDENTIALS
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.clients.invitations import Invitations, NewInvitation
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import CALLBACK, PASSWORD, VERIFIER, Browser, request_of
from tests.support.builders.installation import BY, PAY
from tests.support.builders.token_chains import LiveChains
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import PIN, Terminal
from tests.support.inputs import browser_handles
from tests.support.inputs.dpop_proofs import proof
from tests.support.inputs.handmade_jwts import Key, assertion_claims, new_key, request_claims
from tests.support.inputs.signing import decision, pin_statement
from tests.support.servers.server import AgentKey, LiveServer

_SIGNED = {"Accept": "application/token-introspection+jwt"}


@dataclass(frozen=True, slots=True)
class World:
    """A server, its clients and users, and their handles."""

    server: LiveServer
    http: httpx.Client
    agent: Agent
    person: Terminal
    resource: AgentKey
    app: AgentKey
    key: Key
    keyed: AgentKey
    """An agent that authenticates with `key`."""
    chains: LiveChains
    bot: AgentKey
    """An agent that exchanges other apps' tokens."""
    device: SigningKey
    """The key of a device that is signing in."""
    registered: str
    """An agent that registered itself."""
    handles: Mapping[str, str]

    def introspect(self, handle: str) -> dict[str, object]:
        """Introspect a token as the resource; return the response."""
        answer = self.http.post("/introspect", data={"token": handle}, auth=self.resource.basic)
        result: dict[str, object] = answer.json()
        return result

    def revoke(self, handle: str) -> httpx.Response:
        """Revoke a handle as the agent."""
        return self.http.post("/revoke", data={"token": handle}, auth=self.agent.key.basic)


def world(server: LiveServer, http: httpx.Client, person: Terminal) -> World:
    """Create one handle of each kind."""
    agent = Agent(server.agent(serves=(PAY,)), http)
    rotated = server.resources.rotate_secret(PAY, by=BY)
    resource = AgentKey(rotated.resource.client_id, rotated.secret, PAY)
    key, device = new_key("ES256"), SigningKey.generate()
    keyed = server.agent(auth_method="private_key_jwt", jwks=json.dumps({"keys": [key.jwk]}))
    app = _app(server)
    chains = LiveChains(server, http, person.client.profile.user_id)
    chains.prepare()
    bot = chains.agent()
    registered, registration = _registered(server, http, person)
    handles = {
        **registration,
        **_app_handles(server, http, person, app),
        **_agent_handles(agent, person),
        **_exchange_handles(chains, bot),
        **_device_handles(server, http, device),
        **_signed_by_agents(server, key, keyed, person),
        **_person_handles(server, person),
        **browser_handles.passkey_handles(server),
        **browser_handles.create_records(server, person, agent.key.id),
        "app": app.id,
        "app secret": app.secret,
        "resource": resource.id,
        "resource secret": resource.secret,
        "nothing": "x",
    }
    about = {"token": handles["access token"]}
    introspection = http.post("/introspect", data=about, auth=resource.basic, headers=_SIGNED)
    handles["signed introspection"] = introspection.text
    return World(
        *(server, http, agent, person, resource, app, key, keyed),
        *(chains, bot, device, registered, handles),
    )


def _app(server: LiveServer) -> AgentKey:
    new = NewApp(
        "phone",
        (CALLBACK,),
        grant_types=APP_GRANTS,
        resources=(PAY,),
        scopes=("payments:read",),
    )
    created = Apps(server.services.store, server.services.secrets).add(new, by=BY)
    return AgentKey(created.app.id, created.secret or "", "phone")


def _registered(
    server: LiveServer, http: httpx.Client, person: Terminal
) -> tuple[str, dict[str, str]]:
    """Return an agent that registered itself, its token, and an unused invitation."""
    invitations = Invitations(server.services.store, server.services.secrets)
    ceiling = NewInvitation(person.user, resources=(PAY,), scopes=("payments:read",))
    used, unused = (invitations.issue(ceiling, by=BY) for _ in range(2))
    authorization = {"Authorization": f"Bearer {used.token}"}
    client = http.post("/register", json={"client_name": "own"}, headers=authorization).json()
    token = client["registration_access_token"]
    return client["client_id"], {
        "registration token": token,
        "initial token": unused.token,
        "invitation": unused.invitation.id,
    }


def _app_handles(
    server: LiveServer, http: httpx.Client, person: Terminal, app: AgentKey
) -> dict[str, str]:
    """Return tokens and codes of an app, and a pushed authorization request."""
    Passwords(server.services.store, Argon2Passwords()).set(person.user, PASSWORD, by=BY)
    with server.client() as browsing:
        browser = Browser(browsing, server.url)
        browser.authorize(app.id)
        browser.sign_in(person.user)
        codes = [browser.answer("allow").answer["code"]]
        page = browser.authorize(app.id)
        codes.append((browser.answer("allow") if page.forms else page).answer["code"])
        consent_page = browser_handles.sign_in_handles(browser, app.id)
    form = {"grant_type": "authorization_code", "code": codes[0], "redirect_uri": CALLBACK}
    answer = http.post("/token", data={**form, "code_verifier": VERIFIER}, auth=app.basic)
    tokens = answer.json()
    request_members = {"scope": "openid payments:read", "resource": PAY}
    begun = http.post("/device_authorization", data=request_members, auth=app.basic).json()
    pushed = http.post("/par", data=request_of(app.id), auth=app.basic).json()
    return {
        "app's access token": tokens["access_token"],
        "app's refresh token": tokens["refresh_token"],
        "app's ID token": tokens["id_token"],
        "authorization code": codes[1],
        "request_uri": pushed["request_uri"],
        "app's device code": begun["device_code"],
        **consent_page,
    }


def _agent_handles(agent: Agent, person: Terminal) -> dict[str, str]:
    """Return the handles of an agent, with one pending request."""
    redeemed, paid = agent.request_approval(person.user), ""
    person.approve(person.only_request())
    tokens = agent.poll(redeemed).json()
    paid = agent.ask_payment(person.user).json()["auth_req_id"]
    person.approve(person.only_request())
    form = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "payments:read", "resource": PAY}
    own = agent.http.post("/token", data=form, auth=agent.key.basic).json()
    return {
        "access token": own["access_token"],
        "delegated token": tokens["access_token"],
        "single-use token": agent.poll(paid).json()["access_token"],
        "ID token": tokens["id_token"],
        "auth_req_id": agent.request_approval(person.user),
        "agent": agent.key.id,
        "agent secret": agent.key.secret,
    }


def _exchange_handles(chains: LiveChains, bot: AgentKey) -> dict[str, str]:
    """Return a user's token at an app, and the hint that an agent without consent gets."""
    token = chains.user_token()
    refused = chains.exchange(bot, token).json()
    return {"subject token": token, "login_hint_token": refused["login_hint_token"]}


def _device_handles(server: LiveServer, http: httpx.Client, key: SigningKey) -> dict[str, str]:
    """Return the two codes of a device that is signing in."""
    own = new_key("ES256")
    own = Key(own.alg, key.private, own.kid)
    url = f"{server.url}/device_authorization"
    headers = {"DPoP": proof(own, url, server.clock.now())}
    form = {"client_id": APPROVER_CLIENT, "device_name": "kiosk"}
    begun = http.post("/device_authorization", data=form, headers=headers).json()
    return {"device code": begun["device_code"], "user code": begun["user_code"]}


def _signed_by_agents(
    server: LiveServer, key: Key, keyed: AgentKey, person: Terminal
) -> dict[str, str]:
    """Return the tokens that agents sign themselves; none of them was used yet."""
    now = server.clock.now()
    request_members: dict[str, Any] = {"scope": "openid payments:read", "login_hint": person.user}
    request = request_claims(keyed.id, server.url, now, resource=PAY, **request_members)
    return {
        "assertion": key.sign(assertion_claims(keyed.id, server.url, now)),
        "request object": key.sign(request, typ="oauth-authz-req+jwt"),
        "proof": proof(new_key("ES256"), f"{server.url}/token", now),
    }


def _person_handles(server: LiveServer, person: Terminal) -> dict[str, str]:
    """Return the handles of a user's device, with an unsent decision and an unsent statement."""
    client = person.client
    low = unlocking.open_key(client, PIN, KeyLevel.LOW, unlocking.SESSION_PURPOSE)
    high = unlocking.open_key(client, PIN, KeyLevel.HIGH, unlocking.SESSION_PURPOSE)
    approval = client.approval(person.only_request().id)
    return {
        "approval": approval.id,
        "device": client.profile.device_id,
        "user": client.profile.user_id,
        "session token": client.session.tokens.access_token(),
        "refresh token": load(client.session.tokens._vault).refresh_token,
        "enrollment code": server.user()[1],
        "decision": decision(person, approval, low.key),
        "statement": pin_statement(person, high.key, high.nonce),
    }
