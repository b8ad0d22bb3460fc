"""An agent, user, resource or key that another process disables or revokes at runtime.

Each endpoint is then tried over real HTTP; one table has the answers. More kinds and endpoints are
in `tests/server/services/clients/test_disabled_agents.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.sign_in.tokens import load
from server.crypto.passwords import Argon2Passwords
from server.protocol.names import GRANT_REFRESH_TOKEN, GRANT_TOKEN_EXCHANGE
from server.protocol.tokens.token_exchange import ACCESS_TOKEN
from server.services.clients.agents import Agents
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.tokens.keys import SigningKeys
from server.services.users.passwords import Passwords
from server.services.users.users import Users
from tests.support.browsers.browser import CALLBACK, PASSWORD, VERIFIER, Browser
from tests.support.builders.installation import PAY_SCOPES
from tests.support.builders.token_chains import consent
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal
from tests.support.inputs.handle_endpoints import word
from tests.support.inputs.raw_api import RawApi
from tests.support.inputs.signing import approval_key, decision
from tests.support.servers.server import BY, AgentKey, LiveServer

READ = "payments:read"
OK, INACTIVE = (200, "done"), (200, "inactive")

_CLIENT = (400, "unauthorized_client")
_GONE = (400, "invalid_grant")
_TABLE: dict[str, dict[str, tuple[int, str]]] = {
    "agent": {
        "initiation": _CLIENT,
        "decision": (409, "not_pending"),
        "redemption": _CLIENT,
        "exchange": _CLIENT,
        "refresh": OK,
        "a terminal's refresh": OK,
        "introspection": INACTIVE,
        "userinfo": OK,
    },
    "user": {
        "initiation": (400, "unknown_user_id"),
        "decision": (403, "forbidden"),
        "redemption": (400, "access_denied"),
        "exchange": (400, "invalid_request"),
        "refresh": _GONE,
        "a terminal's refresh": _GONE,
        "introspection": INACTIVE,
        "userinfo": (401, "invalid_token"),
    },
    "resource": {
        "initiation": (400, "invalid_target"),
        "decision": (409, "not_pending"),
        "redemption": (400, "access_denied"),
        "exchange": (400, "invalid_request"),
        "refresh": _GONE,
        "a terminal's refresh": OK,
        "introspection": (401, "invalid_client"),
        "userinfo": (401, "invalid_token"),
    },
    "key": {
        "initiation": OK,
        "decision": (401, "invalid_token"),
        "redemption": OK,
        "exchange": (400, "invalid_request"),
        "refresh": OK,
        "a terminal's refresh": OK,
        "introspection": INACTIVE,
        "userinfo": (401, "invalid_token"),
    },
    "nothing": {
        "initiation": OK,
        "decision": OK,
        "redemption": OK,
        "exchange": OK,
        "refresh": OK,
        "a terminal's refresh": OK,
        "introspection": OK,
        "userinfo": OK,
    },
}


@dataclass(frozen=True, slots=True)
class _Scene:
    """An agent, an app, a user and a resource of one test."""

    server: LiveServer
    agent: Agent
    person: Terminal
    app: AgentKey
    resource: AgentKey

    def end(self, what: str) -> None:
        """Disables, deletes or revokes one of them, as the command line does."""
        services = self.server.services
        keys = SigningKeys(services.store, services.signer, services.server_policy)
        ends: dict[str, Callable[[], object]] = {
            "agent": lambda: Agents(services.store, services.secrets).disable(
                self.agent.key.id, by=BY
            ),
            "user": lambda: Users(services.store, services.secrets).disable(
                self.person.user, by=BY
            ),
            "resource": lambda: self.server.resources.delete(self.resource.name, by=BY),
            "key": lambda: [keys.revoke(key.kid, by=BY) for key in keys.all()],
            "nothing": lambda: None,
        }
        ends[what]()

    def endpoints(self) -> dict[str, Callable[[], tuple[int, str]]]:
        """Returns a call to each endpoint; what the calls need is prepared now."""
        approved, answer = self._approve_request(), self._prepare_decision()
        delegated = self._delegated_token()
        wide, narrow = self._tokens(), self._tokens()
        userinfo = self._refresh(narrow["refresh_token"], scope="openid").json()["access_token"]
        return {
            "initiation": lambda: word(self._ask()),
            "decision": lambda: word(answer()),
            "redemption": lambda: word(self.agent.poll(approved)),
            "exchange": lambda: word(self._exchange(wide["access_token"])),
            "refresh": lambda: word(self._refresh(wide["refresh_token"])),
            "a terminal's refresh": self._refresh_terminal,
            "introspection": lambda: self._introspect(delegated),
            "userinfo": lambda: word(self._userinfo(userinfo)),
        }

    def _ask(self) -> httpx.Response:
        return self.agent.ask(self.person.user, resource=self.resource.name)

    def _approve_request(self) -> str:
        handle: str = self._ask().json()["auth_req_id"]
        self.person.approve(self.person.only_request())
        return handle

    def _delegated_token(self) -> str:
        """Returns a token with which the agent acts for the user."""
        token: str = self.agent.poll(self._approve_another()).json()["access_token"]
        return token

    def _approve_another(self) -> str:
        reply = self._ask().json()
        (approval,) = (a for a in self.person.waiting() if a.fingerprint == reply["fingerprint"])
        self.person.approve(approval)
        handle: str = reply["auth_req_id"]
        return handle

    def _prepare_decision(self) -> Callable[[], httpx.Response]:
        """Signs a decision on a pending request and returns a function that sends it."""
        assert self._ask().status_code == 200
        approval = self.person.client.approval(self.person.only_request().id)
        signed = decision(self.person, approval, approval_key(self.person, KeyLevel.LOW))
        raw = RawApi(self.person, self.agent.http)
        path = f"/api/approvals/{approval.id}/decision"
        return lambda: raw.call("POST", path, json={"decision": signed})

    def _tokens(self) -> dict[str, str]:
        """Returns the app's tokens after sign-in, consent and signature."""
        with self.server.client() as http:
            browser = Browser(http, self.server.url)
            parameters = {"scope": f"openid {READ}", "resource": self.resource.name}
            page = browser.authorize(self.app.id, **parameters)
            page = browser.sign_in(self.person.user)
            page = browser.answer("allow") if page.forms else page
            for approval in self.person.waiting():
                if approval.agent.id == self.app.id:
                    self.person.approve(approval)
            page = page if "code" in page.answer else browser.again()
        form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK}
        form |= {"code": page.answer["code"], "code_verifier": VERIFIER}
        answer = self.agent.http.post("/token", data=form, auth=self.app.basic)
        assert answer.status_code == 200, answer.text
        tokens: dict[str, str] = answer.json()
        return tokens

    def _refresh(self, token: str, **form: str) -> httpx.Response:
        parameters = {"grant_type": GRANT_REFRESH_TOKEN, "refresh_token": token, **form}
        return self.agent.http.post("/token", data=parameters, auth=self.app.basic)

    def _exchange(self, token: str) -> httpx.Response:
        form = {"grant_type": GRANT_TOKEN_EXCHANGE, "resource": self.resource.name, "scope": READ}
        subject = {"subject_token": token, "subject_token_type": ACCESS_TOKEN}
        return self.agent.http.post("/token", data=form | subject, auth=self.agent.key.basic)

    def _refresh_terminal(self) -> tuple[int, str]:
        session = self.person.client.session
        form = {"grant_type": GRANT_REFRESH_TOKEN, "client_id": "sayso-approver"}
        form["refresh_token"] = load(session.tokens._vault).refresh_token
        headers = {"DPoP": session.transport.proof("POST", "/token", None)}
        return word(self.agent.http.post("/token", data=form, headers=headers))

    def _introspect(self, token: str) -> tuple[int, str]:
        form = {"token": token}
        answer = self.agent.http.post("/introspect", data=form, auth=self.resource.basic)
        inactive = answer.status_code == 200 and not answer.json()["active"]
        return INACTIVE if inactive else word(answer)

    def _userinfo(self, token: str) -> httpx.Response:
        return self.agent.http.get("/userinfo", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def scene(server: LiveServer, agent: Agent, person: Terminal) -> _Scene:
    """An agent, an app, a user and a resource, all enabled."""
    services = server.services
    uri = f"https://{agent.key.name}.example"
    added = server.resources.add(uri, PAY_SCOPES, {}, by=BY)
    served_agent = Agent(server.agent(resources=(uri,), serves=(uri,)), agent.http)
    new = NewApp(f"app-{agent.key.name}", (CALLBACK,), resources=(uri,), scopes=(READ,))
    app = Apps(services.store, services.secrets).add(new, by=BY)
    Passwords(services.store, Argon2Passwords()).set(person.user, PASSWORD, by=BY)
    consent(services, person.client.profile.user_id, served_agent.key.id, READ, resource=uri)
    return _Scene(
        server,
        served_agent,
        person,
        AgentKey(app.app.id, app.secret or "", app.app.name),
        AgentKey(added.resource.client_id, added.secret, uri),
    )


@pytest.mark.parametrize("what", _TABLE)
def test_each_endpoint_refuses_what_was_disabled(scene: _Scene, what: str) -> None:
    """Each endpoint refuses the next request that depends on what was disabled."""
    endpoints = scene.endpoints()
    scene.end(what)
    assert {name: attempt() for name, attempt in endpoints.items()} == _TABLE[what]


def test_the_table_has_every_cell() -> None:
    """Each kind has an answer for each endpoint."""
    assert len({frozenset(row) for row in _TABLE.values()}) == 1
