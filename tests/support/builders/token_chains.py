"""Users' tokens that their agents exchange, and the exchanges themselves.

Owns: a user's token as an app holds it, consents and chains of agents, both on a server inside the
test and on one in its own process. Never: the rules of exchanges.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
import jwt

from server.app import Services
from server.model.audit import EntrySearch
from server.model.clients import App
from server.model.consents import Consent
from server.model.tokens import Delegation
from server.protocol.names import GRANT_TOKEN_EXCHANGE, PREFIX_CONSENT
from server.protocol.policy.risks import Risk
from server.protocol.tokens.token_exchange import ACCESS_TOKEN
from server.services.audit import audit
from server.services.clients.agent_forms import NewAgent
from server.services.tokens.delegations import DelegationService
from tests.support.builders.callers import LocalAgent
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import Answer, LocalSite
from tests.support.servers.server import AgentKey, LiveServer

DESK = "https://desk.example"
BANK = "https://bank.example"
DESK_SCOPES = {"desk:use": Risk.LOW}
BANK_SCOPES = {"bank:read": Risk.LOW, "bank:write": Risk.MEDIUM, "bank:close": Risk.HIGH}
APP = "sayso_app_chat"


@dataclass(frozen=True, slots=True)
class Chains:
    """A server with an app, and a person who uses it."""

    local: LocalSite
    user_id: str

    def prepare(self) -> None:
        """Add the app, and two APIs in addition to the payment API."""
        self.local.admin.resources.add(DESK, DESK_SCOPES, {}, by=BY)
        self.local.admin.resources.add(BANK, BANK_SCOPES, {}, by=BY)
        with self.local.services.store.administer() as tx:
            tx.apps.add(_app(tx.now))

    def agent(self, name: str, **members: Any) -> LocalAgent:
        """Register an agent that serves the desk and may ask for the desk and the bank."""
        request_members: dict[str, Any] = {
            "name": name,
            "owners": ("admin",),
            "auth_method": "client_secret_post",
            "resources": (DESK, BANK),
            "scopes": (*DESK_SCOPES, *BANK_SCOPES),
            "serves": (DESK,),
            **members,
        }
        created = self.local.admin.agents.add(NewAgent(**request_members), by=BY)
        return LocalAgent(self.local, created.agent.id, created.secret)

    def user_token(self, claims: dict[str, Any] | None = None, **members: Any) -> str:
        """Issue the user's token for the desk, as the app holds it, for half an hour.

        `members` change both its row and its claims; `claims` change only its claims.
        """
        return user_token(self.local.services, self.user_id, claims, **members)

    def sign(self, row: Delegation, claims: dict[str, Any] | None = None, **header: str) -> str:
        """Sign a token with the claims of this row, changed by `claims`."""
        return signed(self.local.services, row, claims, **header)

    def consent(self, agent: LocalAgent, *scopes: str, resource: str = BANK) -> str:
        """Store the user's consent that gives the agent these scopes for a day."""
        return consent(self.local.services, self.user_id, agent.id, *scopes, resource=resource)

    def exchange(self, agent: LocalAgent, token: str, **parameters: Any) -> Answer:
        """POST /token; a parameter that is None is left out."""
        proofs = parameters.pop("proofs", ())
        form = {
            "grant_type": GRANT_TOKEN_EXCHANGE,
            "subject_token": token,
            "subject_token_type": ACCESS_TOKEN,
            "resource": BANK,
            "scope": "bank:read",
            **agent.credentials,
            **parameters,
        }
        return self.local.post_form("/token", form, proofs=proofs)

    def exchanged(self, agent: LocalAgent, token: str, **parameters: Any) -> str:
        """Exchange the token, which must be allowed; return the new token."""
        answer = self.exchange(agent, token, **parameters)
        assert answer.status == 200, answer.body
        made: str = answer.json["access_token"]
        return made

    def reasons(self) -> list[str]:
        """Return why exchanges were refused, oldest first."""
        return [str(entry["cause"]) for entry in self.local.admin.entries("exchange.refused")]

    def row(self, token: str) -> Delegation:
        """Return the stored row of this token."""
        with self.local.services.store.read() as view:
            found = view.delegations.get(self.local.claims(token)["jti"])
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class LiveChains:
    """The same as `Chains`, on a server that runs in its own process, over real HTTP."""

    server: LiveServer
    http: httpx.Client
    user_id: str

    def prepare(self) -> None:
        """Add the app, and two APIs in addition to the payment API."""
        self.server.resources.add(DESK, DESK_SCOPES, {}, by=BY)
        self.server.resources.add(BANK, BANK_SCOPES, {}, by=BY)
        with self.server.services.store.administer() as tx:
            tx.apps.add(_app(tx.now))

    def agent(self, **members: Any) -> AgentKey:
        """Register an agent that serves the desk and may ask for the desk and the bank."""
        request_members: dict[str, Any] = {
            "resources": (DESK, BANK),
            "scopes": (*DESK_SCOPES, *BANK_SCOPES),
            "serves": (DESK,),
            **members,
        }
        return self.server.agent(**request_members)

    def user_token(self, claims: dict[str, Any] | None = None, **members: Any) -> str:
        """Issue the user's token for the desk, as the app holds it, for half an hour."""
        return user_token(self.server.services, self.user_id, claims, **members)

    def consent(self, agent: AgentKey, *scopes: str, resource: str = BANK) -> str:
        """Store the user's consent that gives the agent these scopes for a day."""
        return consent(self.server.services, self.user_id, agent.id, *scopes, resource=resource)

    def exchange(self, agent: AgentKey, token: str | None, **parameters: Any) -> httpx.Response:
        """POST /token; a parameter that is None is left out."""
        headers = parameters.pop("headers", {})
        form = {
            "grant_type": GRANT_TOKEN_EXCHANGE,
            "subject_token": token,
            "subject_token_type": ACCESS_TOKEN,
            "resource": BANK,
            "scope": "bank:read",
            **parameters,
        }
        sent = {name: value for name, value in form.items() if value is not None}
        return self.http.post("/token", data=sent, auth=agent.basic, headers=headers)

    def exchanged(self, agent: AgentKey, token: str, **parameters: Any) -> str:
        """Exchange the token, which must be allowed; return the new token."""
        answer = self.exchange(agent, token, **parameters)
        assert answer.status_code == 200, answer.text
        made: str = answer.json()["access_token"]
        return made

    def claims(self, token: str) -> dict[str, Any]:
        """Return the token's claims, verified with the published key as a resource does."""
        published = {key["kid"]: key for key in self.http.get("/jwks").json()["keys"]}
        header = jwt.get_unverified_header(token)
        verified: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(published[header["kid"]]),
            algorithms=[header["alg"]],
            issuer=self.server.url,
            options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
        )
        return verified

    def row(self, token: str) -> Delegation:
        """Return the stored row of this token."""
        with self.server.services.store.read() as view:
            found = view.delegations.get(self.claims(token)["jti"])
        assert found is not None
        return found

    def revoke(self, token: str) -> int:
        """Revoke the token and all tokens derived from it; return how many there were."""
        ledger = DelegationService(self.server.services.store)
        return ledger.revoke(self.claims(token)["jti"], by=BY)[1]

    def reasons(self, agent: AgentKey) -> list[str]:
        """Return why this agent's exchanges were refused, newest first."""
        search = EntrySearch(type=audit.Type.EXCHANGE_REFUSED, agent_id=agent.id)
        with self.server.services.store.read() as view:
            entries = view.audit.search(search, None, 100)
        return [json.loads(entry.body)["cause"] for entry in entries]


def user_token(
    services: Services, person: str, claims: dict[str, Any] | None = None, **members: Any
) -> str:
    """Issue a user's token for the desk, as the app holds it, for half an hour."""
    row = user_row(services, person, **members)
    store(services, [row])
    return signed(services, row, claims)


def user_row(services: Services, person: str, **members: Any) -> Delegation:
    """Return the row of such a token, not stored yet."""
    now = services.clock.now()
    row = Delegation(
        id=services.secrets.new_id("sayso_at_"),
        client_id=APP,
        user_id=person,
        resource=DESK,
        scope="desk:use",
        issued_at=now,
        expires_at=now + 30 * MINUTE,
    )
    return replace(row, **members)


def store(services: Services, rows: Sequence[Delegation]) -> None:
    """Store all of these rows in one unit of work."""
    with services.store.write() as tx:
        for row in rows:
            tx.delegations.add(row)


def signed(
    services: Services, row: Delegation, claims: dict[str, Any] | None = None, **header: str
) -> str:
    """Sign a token with the claims of this row, changed by `claims`."""
    said = {
        "iss": services.server_policy.issuer,
        "sub": row.user_id or row.client_id,
        "aud": row.resource,
        "client_id": row.client_id,
        "scope": row.scope,
        "jti": row.id,
        "iat": row.issued_at // 1000,
        "exp": row.expires_at // 1000,
        **({} if row.jkt is None else {"cnf": {"jkt": row.jkt}}),
        **(claims or {}),
    }
    said = {name: value for name, value in said.items() if value is not None}
    with services.store.read() as view:
        keys = view.directory.signing_keys()
    return services.signer.sign(keys, "ES256", header.get("typ", "at+jwt"), said)


def consent(services: Services, user_id: str, client_id: str, *scopes: str, resource: str) -> str:
    """Store a user's consent that gives a client these scopes for a day; return its ID."""
    now = services.clock.now()
    row = Consent(
        id=services.secrets.new_id(PREFIX_CONSENT),
        user_id=user_id,
        client_id=client_id,
        app_id=None,
        resource=resource,
        scopes=tuple(sorted(scopes)),
        created_at=now,
        expires_at=now + DAY,
        revoked_at=None,
        approval_id=None,
    )
    with services.store.write() as tx:
        tx.consents.add(row)
    return row.id


def _app(now: int) -> App:
    return App(
        id=APP,
        name="chat",
        auth_method="client_secret_basic",
        jwks=(),
        redirect_uris=("https://chat.example/cb",),
        post_logout_redirect_uris=(),
        grant_types=("authorization_code",),
        resources=(DESK, PAY),
        scopes=("desk:use", "payments:read"),
        secrets=(),
        id_token_alg="ES256",
        dpop_bound=False,
        state="enabled",
        created_at=now,
    )
