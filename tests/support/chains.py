"""Tokens of people for their agents to exchange, and the exchanges themselves.

Owns: a person's own token as an app would hold it, consents, a chain of agents. Never: the rules.
"""

from dataclasses import dataclass, replace
from typing import Any

from server.protocol.names import GRANT_TOKEN_EXCHANGE, PREFIX_CONSENT
from server.protocol.risks import Risk
from server.protocol.token_exchange import ACCESS_TOKEN
from server.services.agent_forms import NewAgent
from server.services.records import App, Consent, Delegation
from tests.support.callers import LocalAgent
from tests.support.clock import DAY, MINUTE
from tests.support.installation import BY, PAY
from tests.support.site import ISSUER, Answer, LocalSite

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
        """The app, and two more APIs beside the one for payments."""
        self.local.desk.resources.add(DESK, DESK_SCOPES, {}, by=BY)
        self.local.desk.resources.add(BANK, BANK_SCOPES, {}, by=BY)
        with self.local.services.store.administer() as tx:
            tx.apps.add(_app(tx.now))

    def agent(self, name: str, **members: Any) -> LocalAgent:
        """A new agent that serves the desk and may ask for desk and bank."""
        asked: dict[str, Any] = {
            "name": name,
            "owners": ("admin",),
            "auth_method": "client_secret_post",
            "resources": (DESK, BANK),
            "scopes": (*DESK_SCOPES, *BANK_SCOPES),
            "serves": (DESK,),
            **members,
        }
        made = self.local.desk.agents.add(NewAgent(**asked), by=BY)
        return LocalAgent(self.local, made.agent.id, made.secret)

    def user_token(self, claims: dict[str, Any] | None = None, **members: Any) -> str:
        """The person's own token at the desk, as the app holds it, for half an hour.

        `members` change its row and its claims alike, `claims` what it says alone.
        """
        now = self.local.clock.now()
        row = Delegation(
            id=self.local.services.secrets.new_id("sayso_at_"),
            client_id=APP,
            user_id=self.user_id,
            resource=DESK,
            scope="desk:use",
            issued_at=now,
            expires_at=now + 30 * MINUTE,
        )
        row = replace(row, **members)
        with self.local.services.store.write() as tx:
            tx.delegations.add(row)
        return self.sign(row, claims)

    def sign(self, row: Delegation, claims: dict[str, Any] | None = None, **header: str) -> str:
        """A token of ours that says what the row says, and what the claims change."""
        said = {
            "iss": ISSUER,
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
        services = self.local.services
        with services.store.read() as view:
            keys = view.directory.signing_keys()
        return services.signer.sign(keys, "ES256", header.get("typ", "at+jwt"), said)

    def consent(self, agent: LocalAgent, *scopes: str, resource: str = BANK) -> str:
        """The person lets the agent have these scopes for a day."""
        return self.consent_of(agent.id, *scopes, resource=resource)

    def consent_of(self, client_id: str, *scopes: str, resource: str = BANK) -> str:
        """The person lets a client have these scopes for a day."""
        now = self.local.clock.now()
        consent = Consent(
            id=self.local.services.secrets.new_id(PREFIX_CONSENT),
            user_id=self.user_id,
            client_id=client_id,
            app_id=None,
            resource=resource,
            scopes=tuple(sorted(scopes)),
            created_at=now,
            expires_at=now + DAY,
            revoked_at=None,
            approval_id=None,
        )
        with self.local.services.store.write() as tx:
            tx.consents.add(consent)
        return consent.id

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
        """The new token of an exchange that must be allowed."""
        answer = self.exchange(agent, token, **parameters)
        assert answer.status == 200, answer.body
        made: str = answer.json["access_token"]
        return made

    def reasons(self) -> list[str]:
        """Why exchanges were refused, oldest first."""
        return [str(entry["cause"]) for entry in self.local.desk.entries("exchange.refused")]

    def row(self, token: str) -> Delegation:
        """Its row in the ledger."""
        with self.local.services.store.read() as view:
            found = view.delegations.get(self.local.claims(token)["jti"])
        assert found is not None
        return found


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
