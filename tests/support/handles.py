"""One of everything that this server hands out, and every place that takes one of them.

Owns: collecting them from a running server, and putting any of them anywhere. What each place must
take, and what it must say to all the others, stands in the test.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from approver_tui.client.tokens import load
from server.protocol.names import (
    APPROVER_CLIENT,
    ASSERTION_TYPE,
    GRANT_CIBA,
    GRANT_CLIENT_CREDENTIALS,
    GRANT_ENROLMENT,
    GRANT_REFRESH_TOKEN,
    GRANT_TOKEN_EXCHANGE,
)
from server.protocol.token_exchange import ACCESS_TOKEN
from server.services.app_forms import NewApp
from server.services.apps import Apps
from tests.support.agent import Agent
from tests.support.installation import BY, PAY
from tests.support.jose_by_hand import Key, assertion_claims, new_key
from tests.support.proving import proof
from tests.support.raw_api import RawApi
from tests.support.server import AgentKey, LiveServer
from tests.support.terminal import Terminal

Place = Callable[[str], httpx.Response]


@dataclass(frozen=True, slots=True)
class World:
    """A server, who is there, and what they hold."""

    server: LiveServer
    http: httpx.Client
    agent: Agent
    person: Terminal
    resource: AgentKey
    app: AgentKey
    key: Key
    keyed: AgentKey
    """An agent that proves itself with `key`."""
    handles: Mapping[str, str]

    def places(self) -> dict[str, Place]:
        """Every place that takes something which this server hands out."""
        return {
            "basic name": lambda h: self._token(auth=(h, self.agent.key.secret)),
            "basic password": lambda h: self._token(auth=(self.agent.key.id, h)),
            "client_assertion": self._assertion,
            "auth_req_id": lambda h: self._grant(GRANT_CIBA, auth_req_id=h),
            "subject_token": self._subject,
            "actor_token": self._actor,
            "code of enrolment": lambda h: self._terminal(GRANT_ENROLMENT, code=h),
            "refresh_token": lambda h: self._terminal(GRANT_REFRESH_TOKEN, refresh_token=h),
            "login_hint": lambda h: self._ask(login_hint=h),
            "id_token_hint": lambda h: self._ask(id_token_hint=h),
            "login_hint_token": lambda h: self._ask(login_hint_token=h),
            "request": lambda h: self._ask(request=h),
            "proof": lambda h: self._token(auth=self.agent.key.basic, headers={"DPoP": h}),
            "token of the API": self._bearer,
            "approval of the API": lambda h: self._api("GET", f"/api/approvals/{h}"),
            "device of the API": lambda h: self._api("DELETE", f"/api/devices/{h}"),
            "token to consume": self._consume,
        }

    def introspect(self, handle: str) -> dict[str, object]:
        """What the resource is told of it."""
        answer = self.http.post("/introspect", data={"token": handle}, auth=self.resource.basic)
        told: dict[str, object] = answer.json()
        return told

    def revoke(self, handle: str) -> httpx.Response:
        """An agent gives it back."""
        return self.http.post("/revoke", data={"token": handle}, auth=self.agent.key.basic)

    def _token(self, **more: object) -> httpx.Response:
        form = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "payments:read", "resource": PAY}
        return self.http.post("/token", data=form, **more)  # type: ignore[arg-type]

    def _assertion(self, handle: str) -> httpx.Response:
        form = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "payments:read", "resource": PAY}
        proved = {"client_assertion": handle, "client_assertion_type": ASSERTION_TYPE}
        return self.http.post("/token", data=form | proved)

    def _grant(self, grant: str, **form: str) -> httpx.Response:
        form["grant_type"] = grant
        return self.http.post("/token", data=form, auth=self.agent.key.basic)

    def _subject(self, handle: str) -> httpx.Response:
        kind = {"subject_token": handle, "subject_token_type": ACCESS_TOKEN}
        return self._grant(GRANT_TOKEN_EXCHANGE, scope="payments:read", resource=PAY, **kind)

    def _actor(self, handle: str) -> httpx.Response:
        kinds = {"subject_token_type": ACCESS_TOKEN, "actor_token_type": ACCESS_TOKEN}
        tokens = {"subject_token": self.handles["delegated token"], "actor_token": handle}
        return self._grant(GRANT_TOKEN_EXCHANGE, scope="payments:read", **kinds, **tokens)

    def _terminal(self, grant: str, **form: str) -> httpx.Response:
        session = self.person.client.session
        sent = {"grant_type": grant, "client_id": APPROVER_CLIENT, **form}
        proved = session.transport.proof("POST", "/token", None)
        return self.http.post("/token", data=sent, headers={"DPoP": proved})

    def _ask(self, **hint: str) -> httpx.Response:
        form = {"scope": "openid payments:read", "resource": PAY, **hint}
        if "request" in hint:
            form = hint
        return self.http.post("/bc-authorize", data=form, auth=self.agent.key.basic)

    def _api(self, method: str, path: str, **rest: object) -> httpx.Response:
        return RawApi(self.person, self.http).call(method, path, **rest)  # type: ignore[arg-type]

    def _bearer(self, handle: str) -> httpx.Response:
        raw = RawApi(self.person, self.http)
        claims = raw.claims("GET", "/api/me")
        return raw.call("GET", "/api/me", authorization=f"DPoP {handle}", proof=raw.proof(claims))

    def _consume(self, handle: str) -> httpx.Response:
        body = {"token": handle, "authorization_details": [], "execution_id": "once"}
        return self.http.post("/api/approvals/consume", json=body, auth=self.resource.basic)


def world(server: LiveServer, http: httpx.Client, person: Terminal) -> World:
    """One of everything."""
    agent = Agent(server.agent(serves=(PAY,)), http)
    given = server.resources.rotate_secret(PAY, by=BY)
    resource = AgentKey(given.resource.client_id, given.secret, PAY)
    services = server.services
    made = Apps(services.store, services.secrets).add(
        NewApp("chat", ("https://chat.example/back",), resources=(PAY,)), by=BY
    )
    key = new_key("ES256")
    keyed = server.agent(auth_method="private_key_jwt", jwks=json.dumps({"keys": [key.jwk]}))
    app = AgentKey(made.app.id, made.secret or "", "chat")
    handles = _handles(server, agent, person, key, keyed)
    handles |= {
        "app": app.id,
        "app secret": app.secret,
        "resource": resource.id,
        "resource secret": resource.secret,
    }
    return World(server, http, agent, person, resource, app, key, keyed, handles)


def _handles(
    server: LiveServer, agent: Agent, person: Terminal, key: Key, keyed: AgentKey
) -> dict[str, str]:
    redeemed = agent.asked(person.user)
    person.approve(person.only())
    tokens = agent.poll(redeemed).json()
    form = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "payments:read", "resource": PAY}
    own = agent.http.post("/token", data=form, auth=agent.key.basic).json()
    session = person.client.session
    now = server.clock.now()
    return {
        "access token": own["access_token"],
        "delegated token": tokens["access_token"],
        "ID token": tokens["id_token"],
        "auth_req_id": agent.asked(person.user),
        "agent": agent.key.id,
        "agent secret": agent.key.secret,
        "approval": person.only().id,
        "device": person.client.profile.device_id,
        "user": person.client.profile.user_id,
        "session token": session.tokens.access_token(),
        "refresh token": load(session.tokens._vault).refresh_token,
        "enrolment code": server.user()[1],
        "assertion": key.sign(assertion_claims(keyed.id, server.url, now)),
        "proof": proof(new_key("ES256"), f"{server.url}/token", now),
        "nothing": "x",
    }
