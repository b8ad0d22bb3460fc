"""Agents, apps, their secrets, names and registrations."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

AppState = Literal["enabled", "disabled"]

AppOrigin = Literal["administrator", "document", "registration"]
"""How an app became known: by an administrator, its metadata document, or its own registration."""

AgentState = Literal["enabled", "quarantined", "disabled"]


@dataclass(frozen=True, slots=True)
class Secret:
    """A client secret, stored as its SHA-256. `expires_at` is None until it is rotated."""

    id: str
    hash: bytes
    hint: str
    """The last four characters, for telling secrets apart."""
    created_at: int
    expires_at: int | None = None
    last_used_at: int | None = None

    def matches(self, text: str, now: int) -> bool:
        """Return whether this is the text of the secret, and it has not expired."""
        sent_hash = hashlib.sha256(text.encode()).digest()
        is_valid = self.expires_at is None or now < self.expires_at
        return hmac.compare_digest(self.hash, sent_hash) and is_valid


@dataclass(frozen=True, slots=True)
class Agent:
    """A non-human OAuth client with owners and permissions. `id` is its client_id.

    Its permissions are all pairs of a resource in `resources` and one of its scopes in `scopes`,
    limited by `only`. If `asks` is None, it may ask every user.
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
    """Action types it may ask for (RFC 9396 10); None means every registered one."""
    asks: tuple[str, ...] | None
    owners: tuple[str, ...]
    """User IDs."""
    secrets: tuple[Secret, ...]
    id_token_alg: str
    state: AgentState
    expires_at: int | None
    created_at: int
    dpop_bound: bool = False
    """Its tokens must be bound to a key that it proves (RFC 9449 5.2)."""
    request_alg: str | None = None
    """The algorithm with which it must sign requests; None if signatures are optional."""
    notification_endpoint: str | None = None
    """Its callback URL; None if it polls."""
    takes_user_code: bool = False
    """It asks people for their user code and sends the code."""
    high_grants: bool = False
    """People may create standing grants for it at high risk."""
    interactive: bool = False
    """Its user sees its screen, where it can show a match number."""
    serves: tuple[str, ...] = ()
    """The resources that it serves. It may exchange tokens that arrive there, use them like the
    resource's own credential, and name their clients as its callers."""
    token_seconds: int | None = None
    """Maximum lifetime of its tokens; None uses the resource's limit or the setting."""
    labels: tuple[str, ...] = ()
    """Sorted words and `key=value` pairs that policy rules can match."""
    external_id: str | None = None
    """Its ID in another system; not used here."""
    review_at: int | None = None
    """When its owners plan to check whether it is still needed."""
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Resource → the scopes that it may have there; other resources allow all of `scopes`."""
    icon: str | None = None
    """The hash of its icon; None if it has none."""
    auth_before: str | None = None
    """Its previous authentication method, which works until `auth_before_until`."""
    auth_before_until: int | None = None
    key_uses: Mapping[str, int] = field(default_factory=dict)
    """`kid` of a key → when it was last used, to the minute."""
    named_at: int = 0
    """When it got its current name."""

    def allows(self, resource: str, scope: str) -> bool:
        """Return whether its permissions include this pair."""
        allowed_scopes = self.only.get(resource, self.scopes)
        return resource in self.resources and scope in self.scopes and scope in allowed_scopes

    def may_authenticate_with(self, method: str, now: int) -> bool:
        """Return whether it may authenticate with this method now."""
        overlaps = self.auth_before_until is not None and now < self.auth_before_until
        return method == self.auth_method or (overlaps and method == self.auth_before)

    def active(self, now: int) -> bool:
        """Return whether the agent is enabled and not expired."""
        return self.state == "enabled" and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class App:
    """An OAuth client that people use. `id` is its client_id.

    Its permissions are all pairs of `resources` and `scopes`, and `action_types`, where None means
    all types.
    """

    id: str
    name: str
    auth_method: str
    """One of `names.APP_AUTH_METHODS`; "none" for a public client."""
    grant_types: tuple[str, ...]
    id_token_alg: str
    state: AppState
    created_at: int
    jwks: tuple[Mapping[str, str], ...] = ()
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    dpop_bound: bool = False
    """Its tokens must be bound to a key that it proves (RFC 9449 5.2)."""
    action_types: tuple[str, ...] | None = None
    origin: AppOrigin = "administrator"
    claimed_name: str | None = None
    """The name that an unregistered app gives itself; not verified."""
    requires_par: bool = False
    """Its authorization requests must be pushed (RFC 9126 6)."""

    @property
    def verified(self) -> bool:
        """Whether an administrator registered it."""
        return self.origin == "administrator"

    def allows(self, resource: str, scope: str) -> bool:
        """Return whether its permissions include this pair."""
        return resource in self.resources and scope in self.scopes

    def active(self, _now: int) -> bool:
        """Return whether the app is enabled."""
        return self.state == "enabled"


@dataclass(frozen=True, slots=True)
class AppUse:
    """When an unregistered app was created, checked and used."""

    app_id: str
    created_at: int
    fresh_until: int
    """When its metadata document must be fetched again; 0 if it has none."""
    checked_at: int
    used_at: int | None = None
    """When it last got a token; None if it never did."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Lets agents register themselves for one owner, within limits. Stores its token as a hash."""

    id: str
    token_hash: bytes
    owner_id: str
    grant_types: tuple[str, ...]
    resources: tuple[str, ...]
    scopes: tuple[str, ...]
    action_types: tuple[str, ...] | None
    """None means every registered type."""
    asks: tuple[str, ...] | None
    """IDs of the users that the agents may ask; None means all users."""
    uses_left: int
    created_by: str
    created_at: int
    expires_at: int
    revoked_at: int | None = None

    def live(self, now: int) -> bool:
        """Return whether an agent can still register with it."""
        return self.uses_left > 0 and self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Registration:
    """An agent's self-registration, with the hash of its registration token."""

    agent_id: str
    invitation_id: str
    token_hash: bytes
    created_at: int


NameKind: TypeAlias = Literal["client", "user", "group", "resource"]
"""Two names of one kind must not look alike. Agents and apps are one kind."""


@dataclass(frozen=True, slots=True)
class UnprotectedName:
    """A name from an earlier version that looks like an older name of its kind."""

    kind: NameKind
    bearer: str
    name: str


@dataclass(frozen=True, slots=True)
class FormerName:
    """A former name of an agent, and when the agent stopped using it."""

    name: str
    until: int


class SecretRows(Protocol):
    """The stored rows of clients that have secrets."""

    def mark_secret_used(self, secret_id: str, now: int) -> None:
        """Store the time of the use, at most once a minute."""
