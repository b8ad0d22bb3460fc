"""What we remember, as frozen records. Times are milliseconds since the epoch (`*_at`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from server.protocol.risks import Risk

AppState = Literal["enabled", "disabled"]
UserState = Literal["enabled", "disabled"]
AgentState = Literal["enabled", "quarantined", "disabled"]


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account. `name` and `email` are unique without regard to case."""

    id: str
    name: str
    email: str | None
    roles: tuple[str, ...]
    state: UserState
    created_at: int
    backup: str | None = None
    """Who is asked too when they do not answer."""
    disabled_at: int | None = None
    """When they were stopped; None while they are enabled."""

    @property
    def enabled(self) -> bool:
        """Reports whether the user may ask, decide or be asked."""
        return self.state == "enabled"


@dataclass(frozen=True, slots=True)
class Secret:
    """One client secret, as its SHA-256. `expires_at` None means until it is rotated."""

    id: str
    hash: bytes
    hint: str
    """The last four characters, for telling secrets apart."""
    created_at: int
    expires_at: int | None
    last_used_at: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """People who are named together; `members` are user ids."""

    id: str
    name: str
    members: tuple[str, ...]
    created_at: int


@dataclass(frozen=True, slots=True)
class Agent:
    """A non-human OAuth client with owners and a ceiling. `id` is its client_id.

    The ceiling is every pair of a resource in `resources` and a scope in `scopes` that this
    resource has, less what `only` leaves out. `asks` None means that it may name every user.
    """

    id: str
    name: str
    description: str
    auth_method: str
    jwks: tuple[Mapping[str, str], ...]
    grant_types: tuple[str, ...]
    delivery: str
    resources: tuple[str, ...]
    scopes: tuple[str, ...]
    action_types: tuple[str, ...] | None
    """Which action types it may ask for (RFC 9396 10); None means every registered one."""
    asks: tuple[str, ...] | None
    owners: tuple[str, ...]
    """User ids."""
    secrets: tuple[Secret, ...]
    id_token_alg: str
    state: AgentState
    expires_at: int | None
    created_at: int
    dpop_bound: bool = False
    """Its tokens are bound to a key that it proves to hold (RFC 9449 5.2)."""
    request_alg: str | None = None
    """The algorithm with which it signs every request; None when it need not sign."""
    notification_endpoint: str | None = None
    """Where it is called back; None for one that polls."""
    takes_user_code: bool = False
    """It asks people for their user code, and sends it along."""
    high_grants: bool = False
    """People may give it standing grants at high risk."""
    interactive: bool = False
    """It has a screen that its user looks at, and shows a number there for people to match."""
    serves: tuple[str, ...] = ()
    """Resources whose incoming tokens it may exchange, because it is the one that serves them."""
    token_seconds: int | None = None
    """How long its tokens live at most; None leaves it to the resource and the setting."""
    labels: tuple[str, ...] = ()
    """Words, and pairs written `key=value`, by which policy knows it; sorted."""
    external_id: str | None = None
    """What another system of its owners calls it; nothing here follows from it."""
    review_at: int | None = None
    """When somebody wants to look at whether it is still needed."""
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Resource → the scopes that it may have there; at a resource that is not named, all of its."""
    icon: str | None = None
    """The hash of the picture that people are shown beside its name; None for one of its letter."""
    auth_before: str | None = None
    """How it proved itself before `auth_method`; that counts until `auth_before_until`."""
    auth_before_until: int | None = None
    key_uses: Mapping[str, int] = field(default_factory=dict)
    """`kid` of a key → when it last proved something, to the minute."""
    named_at: int = 0
    """Since when it has its name."""

    def may(self, resource: str, scope: str) -> bool:
        """Reports whether this pair is within its ceiling."""
        named = self.only.get(resource, self.scopes)
        return resource in self.resources and scope in self.scopes and scope in named

    def proves_by(self, method: str, now: int) -> bool:
        """Reports whether this is a way in which it proves itself at this moment."""
        overlaps = self.auth_before_until is not None and now < self.auth_before_until
        return method == self.auth_method or (overlaps and method == self.auth_before)

    def active(self, now: int) -> bool:
        """Reports whether the agent may do anything at all at this moment."""
        return self.state == "enabled" and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class App:
    """An interactive OAuth client of people. `id` is its client_id.

    Its ceiling is every pair of `resources` and `scopes`, and `action_types`; None means all types.
    """

    id: str
    name: str
    auth_method: str
    """One of `names.APP_AUTH_METHODS`; "none" for one that can keep no secret."""
    jwks: tuple[Mapping[str, str], ...]
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    grant_types: tuple[str, ...]
    resources: tuple[str, ...]
    scopes: tuple[str, ...]
    secrets: tuple[Secret, ...]
    id_token_alg: str
    dpop_bound: bool
    """It gets tokens only with a proof of a key to bind them to (RFC 9449 5.2)."""
    state: AppState
    created_at: int
    action_types: tuple[str, ...] | None = None

    def may(self, resource: str, scope: str) -> bool:
        """Reports whether this pair is within its ceiling."""
        return resource in self.resources and scope in self.scopes

    def active(self, _now: int) -> bool:
        """Reports whether the app may do anything at all."""
        return self.state == "enabled"


@dataclass(frozen=True, slots=True)
class Resource:
    """A protected API, named by its audience URI."""

    uri: str
    scopes: Mapping[str, Risk]
    requires: Mapping[str, str]
    """Scope → action type without which the scope is not given."""
    created_at: int
    client_id: str = ""
    """By which it authenticates when it asks about tokens for it."""
    secrets: tuple[Secret, ...] = ()

    @property
    def id(self) -> str:
        """Its name as a client."""
        return self.client_id

    token_seconds: int | None = None
    """How long tokens for it live at most; None leaves it to the agent and the setting."""


@dataclass(frozen=True, slots=True)
class ActionRow:
    """A registered action type as its file was given; `protocol.actions` reads the document."""

    type: str
    document: str
    version: int
    created_at: int


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of ours. The private half is sealed by the master key; `crypto.jose` opens it."""

    kid: str
    alg: str
    public_jwk: Mapping[str, str]
    sealed: bytes
    state: Literal["active", "retiring"]
    created_at: int
    retires_at: int | None


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """A one-time code: a public id and the keyed hash of its secret."""

    id: str
    user_id: str
    secret_hash: bytes
    created_by: str
    created_at: int
    expires_at: int
    used_at: int | None
    tries: int


@dataclass(frozen=True, slots=True)
class Session:
    """A terminal's sign-in: the thumbprint of its key S and the hash of its refresh token."""

    id: str
    user_id: str
    code_id: str
    jkt: str
    public_jwk: Mapping[str, str]
    refresh_hash: bytes
    previous_hash: bytes | None
    rotated_at: int
    created_at: int
    expires_at: int
    revoked_at: int | None
    device_id: str | None
    admitted_as: str | None = None
    """The name under which an older device let this one in; None after an enrolment code."""
    resumes: bool = False
    """After a restore, a proof of its key signs in again; no earlier token is known here."""


@dataclass(frozen=True, slots=True)
class Device:
    """A terminal with its session key and two approval keys (public halves only)."""

    id: str
    user_id: str
    session_id: str
    name: str
    kind: str
    state: Literal["active", "revoked"]
    created_at: int
    last_seen_at: int | None
    high_from: int
    """Before this moment it decides nothing at high risk, unless an old device vouched for it."""
    keys: Mapping[str, Mapping[str, str]]
    """"session", "low", "high" → public JWK."""
    kids: Mapping[str, str]
    """"session", "low", "high" → RFC 7638 thumbprint."""
    pin_tries: int
    pin_calls: int
    pin_unconfirmed: int
    pin_epoch: int
    pin_for: str | None
    pin_for_at: int | None
    statements: int
    """How many statements about this device were accepted; part of the next nonce."""
    alarmed_at: int | None = None
    """When the counter of its passkey last went back, so that a copy of it may be in use."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A user lets an agent or app have scopes at a resource; one at a time is in force."""

    id: str
    user_id: str
    client_id: str
    app_id: str | None
    """The app whose page asked for it; None when a request of the agent's own led to it."""
    resource: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    revoked_at: int | None
    approval_id: str | None
    """The approval that a device signed; None where a sign-in page took the answer."""

    def live(self, now: int) -> bool:
        """Reports whether it is in force at this moment."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Delegation:
    """An issued access token: who acts for whom, where, until when. `id` is its jti."""

    id: str
    client_id: str
    """The agent or app that it was issued to."""
    user_id: str | None
    resource: str
    scope: str
    issued_at: int
    expires_at: int
    chain: str = ""
    """The `act` claim as JSON text; "" when nobody acts for somebody else."""
    depth: int = 0
    """How many actors the chain has."""
    details: str = "[]"
    """`authorization_details` as JSON text."""
    parent_id: str | None = None
    """The token that this one was exchanged for; None for a root."""
    approval_id: str | None = None
    consent_id: str | None = None
    """The consent that it stands on."""
    jkt: str | None = None
    """The thumbprint of the key that it is bound to."""
    last_used_at: int | None = None
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit log before it is stored; AIMS' seven facts are members of their own."""

    type: str
    actor: str
    agent_id: str | None = None
    subject: str | None = None
    resource: str | None = None
    action: str | None = None
    decision: str | None = None
    posture: str | None = None
    cause: str | None = None
    approval_id: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An audit entry as it lies in the log: its columns and the bytes that are hashed."""

    id: str
    at: int
    type: str
    actor: str
    approval_id: str | None
    correlation_id: str
    body: bytes
    leaf: bytes
    names: Mapping[str, str] = field(default_factory=dict)
    """Member → what its person or client is called today; not of the log's bytes."""
