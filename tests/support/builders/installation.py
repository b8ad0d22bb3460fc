"""An installation for one test: real SQLite in a folder, real keys, a clock that the test moves.

Owns: the administrative services, wired together, and the rows that tests write directly.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from server.crypto.jose import JwtSigner
from server.crypto.secrets import EntryIdGenerator, KeyedSecrets, read_or_create_key
from server.model.approvals import Approval
from server.model.consents import Consent
from server.model.devices import Device
from server.model.standing_grants import StandingGrant
from server.model.tokens import Delegation
from server.model.users import User
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.services.audit import audit
from server.services.clients.agent_forms import NewAgent
from server.services.clients.agents import Agents, NewSecret
from server.services.clients.apps import Apps
from server.services.operations.installation import Installation
from server.services.policy.action_types import ActionTypes
from server.services.reactions import react
from server.services.resources.resources import Resources
from server.services.server_policy import ServerPolicy
from server.services.tokens.keys import SigningKeys
from server.services.users.users import NewUser, Users
from server.storage.open import open_store
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, MINUTE, MovableClock
from tests.support.builders.databases import place_database

BY = audit.OPERATOR
PAY = "https://pay.example"
PAY_SCOPES = {"payments:read": Risk.LOW, "payments:transfer": Risk.HIGH}

PAYMENT = {
    "type": "payment.transfer",
    "title": "Payment",
    "risk": "high",
    "headline": "Pay {amount|money} to {payee}",
    "undo": "Cannot be undone",
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["amount", "payee"],
        "properties": {
            "payee": {"type": "string", "maxLength": 70},
            "amount": {
                "type": "object",
                "additionalProperties": False,
                "required": ["minor", "currency"],
                "properties": {"minor": {"type": "integer"}, "currency": {"enum": ["EUR"]}},
            },
        },
    },
    "material": ["/amount", "/payee"],
}
"""An action type, with the members of its file."""


@dataclass(frozen=True, slots=True)
class LocalAdmin:
    """Everything an administrator can do, over one database."""

    clock: MovableClock
    store: SqlStore
    secrets: KeyedSecrets
    users: Users
    agents: Agents
    apps: Apps
    resources: Resources
    actions: ActionTypes
    keys: SigningKeys
    installation: Installation

    def version(self) -> int:
        """Return the version that caches use as their key."""
        with self.store.read() as view:
            return view.version

    def entries(self, kind: str = "") -> list[dict[str, object]]:
        """Return the members of the last 1,000 audit entries, of one type or of all types."""
        with self.store.read() as view:
            bodies = [entry.members for entry in view.audit.tail(1_000)]
        return [body for body in bodies if kind in {"", body["type"]}]

    def events(self, user: User) -> list[str]:
        """Return the names of the feed events for this user."""
        with self.store.read() as view:
            return [event.event for event in view.feed.events_after(0, user.id, 1_000)]

    def approval(self, agent_id: str, user_id: str, **members: Any) -> Approval:
        """Store a pending request that expires in ten minutes."""
        name = self.secrets.new_id("sayso_ap_")
        approval = replace(approval_row(name, agent_id, user_id, self.clock.now()), **members)
        with self.store.write() as tx:
            tx.approvals.add(approval)
        return approval

    def state(self, approval: Approval) -> tuple[State, str | None]:
        """Return its current state and reason."""
        with self.store.read() as view:
            now = view.approvals.get(approval.id)
        assert now is not None
        return now.state, now.reason

    def token(
        self, agent_id: str, user_id: str | None, name: str = "t1", **members: Any
    ) -> Delegation:
        """Store a token that is valid for five minutes."""
        now = self.clock.now()
        until = now + 5 * MINUTE
        token = replace(Delegation(name, agent_id, user_id, PAY, "", now, until), **members)
        with self.store.write() as tx:
            tx.delegations.add(token)
        return token

    def consent(self, client_id: str, user_id: str, name: str = "sayso_co_1") -> Consent:
        """Store a consent to read at the payment API for thirty days."""
        now = self.clock.now()
        consent = Consent(
            id=name,
            user_id=user_id,
            client_id=client_id,
            app_id=None,
            resource=PAY,
            scopes=("payments:read",),
            created_at=now,
            expires_at=now + 30 * DAY,
            revoked_at=None,
            approval_id=None,
        )
        with self.store.write() as tx:
            tx.consents.add(consent)
        return consent

    def standing_grant(self, approval: Approval, name: str = "sayso_sg_1") -> StandingGrant:
        """Store a standing grant for five requests like this one within thirty days."""
        now = self.clock.now()
        grant = StandingGrant(
            id=name,
            user_id=approval.user_id or "",
            agent_id=approval.agent_id,
            resource=approval.resource,
            scopes=tuple(approval.scope.split()),
            details="[]",
            vary="[]",
            type=None,
            version=None,
            risk=Risk.LOW,
            ceremony="confirm",
            uses=5,
            sum_minor=None,
            sum_currency=None,
            notify=True,
            used=0,
            spent_minor=0,
            numbered=0,
            approval_id=approval.id,
            created_at=now,
            expires_at=now + 30 * DAY,
        )
        with self.store.write() as tx:
            tx.standing_grants.add(grant)
        return grant

    def revoked(self, token: Delegation) -> bool:
        """Report whether the token was revoked."""
        with self.store.read() as view:
            now = view.delegations.get(token.id)
        assert now is not None
        return now.revoked_at is not None

    def device(self, user: User, **members: Any) -> Device:
        """Store a terminal of the user."""
        device = replace(
            device_row(self.secrets.new_id("sayso_dv_"), user, self.clock.now()), **members
        )
        with self.store.write() as tx:
            tx.devices.add(device)
        return device


def open_admin(folder: Path) -> LocalAdmin:
    """Open an empty installation in this folder."""
    clock = MovableClock()
    master, pin = read_or_create_key(folder / "master.key"), read_or_create_key(folder / "pin.key")
    secrets = KeyedSecrets(master, pin)
    place_database(folder / "sayso.db", clock.now())
    store = open_store(
        f"sqlite:///{folder / 'sayso.db'}", clock, EntryIdGenerator().new, react, serving=False
    )
    signer = JwtSigner(secrets)
    return LocalAdmin(
        clock=clock,
        store=store,
        secrets=secrets,
        users=Users(store, secrets),
        agents=Agents(store, secrets),
        apps=Apps(store, secrets),
        resources=Resources(store, secrets, SERVER_POLICY.issuer),
        actions=ActionTypes(store),
        keys=SigningKeys(store, signer, SERVER_POLICY),
        installation=Installation(store, secrets, signer),
    )


def add_user(admin: LocalAdmin, name: str = "admin", **members: Any) -> User:
    """Add a user."""
    user, _ = admin.users.add(NewUser(name, **members), by=BY)
    return user


def register_agent(admin: LocalAdmin, name: str = "invoice-bot", **members: Any) -> NewSecret:
    """Register an agent that may ask for both scopes of the payment API."""
    if PAY not in {resource.uri for resource in admin.resources.all()}:
        admin.resources.add(PAY, PAY_SCOPES, {}, by=BY)
    registration = {
        "owners": ("admin",),
        "resources": (PAY,),
        "scopes": tuple(PAY_SCOPES),
        **members,
    }
    return admin.agents.add(NewAgent(name, **registration), by=BY)


SERVER_POLICY = ServerPolicy(
    issuer="http://localhost:8470",
    on_loopback=True,
    access_token_alg="ES256",
    access_token_seconds=300,
    assertion_audience="issuer",
    hide_unknown_users=False,
    open_per_agent=10,
    open_per_user=50,
    open_in_all=500,
    denials_before_pause=3,
    notify_per_minute=5,
    notify_per_hour=20,
    notify_per_agent=10,
    notify_per_type=10,
    notify_low_per_hour=1,
)


def approval_row(approval_id: str, agent_id: str, user_id: str, now: int) -> Approval:
    """Return a pending low-risk request that expires in ten minutes."""
    return Approval(
        id=approval_id,
        auth_req_hash=approval_id.encode(),
        agent_id=agent_id,
        user_id=user_id,
        resource=PAY,
        scope="payments:read",
        openid_scope="openid",
        details="[]",
        risk=Risk.LOW,
        ceremony="confirm",
        action="{}",
        display='{"headline":"Read payments"}',
        action_digest="n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
        display_digest="n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
        created_at=now,
        expires_at=now + 10 * MINUTE,
        request_hash=b"request",
    )


def device_row(device_id: str, user: User, now: int) -> Device:
    """Return a terminal of this user, not stored yet."""
    return Device(
        id=device_id,
        user_id=user.id,
        session_id=f"session of {device_id}",
        name="laptop",
        kind="terminal",
        state="active",
        created_at=now,
        last_seen_at=None,
        high_from=now,
        keys={},
        kids={"session": "s", "low": "l", "high": "h"},
        pin_tries=0,
        pin_calls=0,
        pin_unconfirmed=0,
        pin_epoch=1,
        pin_for=None,
        pin_for_at=None,
        statements=0,
    )
