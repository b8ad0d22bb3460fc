"""Agents, apps, their secrets, names and registrations, and what their rows promise."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from server.protocol.clients.icons import Icon

AppState = Literal["enabled", "disabled"]

AgentState = Literal["enabled", "quarantined", "disabled"]


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
class Invitation:
    """A right to register agents, of one owner and within one ceiling. Its token is a hash here."""

    id: str
    token_hash: bytes
    owner_id: str
    grant_types: tuple[str, ...]
    resources: tuple[str, ...]
    scopes: tuple[str, ...]
    action_types: tuple[str, ...] | None
    """None means every registered type."""
    asks: tuple[str, ...] | None
    """Whom the agents may ask, by user ids; None means everybody."""
    uses_left: int
    created_by: str
    created_at: int
    expires_at: int
    revoked_at: int | None

    def live(self, now: int) -> bool:
        """Reports whether an agent may still register with it."""
        return self.uses_left > 0 and self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Registration:
    """That an agent registered itself, and the hash of the token by which it is changed."""

    agent_id: str
    invitation_id: str
    token_hash: bytes
    created_at: int


class AgentRows(Protocol):
    """Agents, their owners and secrets. `add` MUST fail with `Taken` if the name is used."""

    def add(self, agent: Agent, now: int) -> None: ...
    def replace(self, agent: Agent, now: int) -> None:
        """Write every member, owners and secrets included."""

    def delete(self, agent_id: str) -> None: ...
    def get(self, agent_id: str) -> Agent | None: ...
    def all(self, having: Mapping[str, str] = ..., /) -> list[Agent]:
        """Those with these values of columns."""

    def page(
        self, owner: str | None, after: str, limit: int, having: Mapping[str, str] = ..., /
    ) -> list[Agent]:
        """Likewise, those of one owner or of everybody whose names come after this one."""

    def owned_by(self, user_id: str) -> list[Agent]:
        """Those for which this user answers, by name."""

    def orphans(self) -> list[Agent]:
        """The enabled ones of which no owner is enabled, by name."""

    def secret_used(self, secret_id: str, now: int) -> None:
        """Remember the use, at most once a minute."""

    def key_used(self, agent_id: str, kid: str, now: int) -> None:
        """Likewise."""


class AppRows(Protocol):
    """Apps and their secrets. `add` and `replace` MUST fail with `Taken` if the name is used."""

    def add(self, app: App) -> None: ...
    def replace(self, app: App) -> None:
        """Write every member, secrets included."""

    def delete(self, app_id: str) -> None: ...
    def get(self, app_id: str) -> App | None: ...
    def all(self) -> list[App]: ...
    def secret_used(self, secret_id: str, now: int) -> None:
        """Remember the use, at most once a minute."""


class SecretRows(Protocol):
    """Clients that have secrets."""

    def secret_used(self, secret_id: str, now: int) -> None:
        """Remember the use, at most once a minute."""


class InvitationRows(Protocol):
    """Rights to register agents."""

    def add(self, invitation: Invitation) -> None: ...
    def get(self, invitation_id: str) -> Invitation | None: ...
    def by_token(self, token_hash: bytes) -> Invitation | None: ...
    def page(self, after: str, limit: int) -> list[Invitation]:
        """Those whose ids come after this one, ended ones too."""

    def spend(self, invitation_id: str, now: int) -> bool:
        """Use it once; MUST be one statement. Reports whether it still had a use."""

    def revoke(self, invitation_id: str, now: int) -> bool:
        """Reports whether this call ended it."""


class RegistrationRows(Protocol):
    """Agents that registered themselves."""

    def add(self, registration: Registration) -> None: ...
    def of_agent(self, agent_id: str) -> Registration | None: ...
    def end(self, agent_id: str) -> None:
        """Its token opens nothing any more."""


class IconRows(Protocol):
    """Pictures. One MUST be there once, however many agents have it."""

    def get(self, digest: str) -> Icon | None: ...
    def keep(self, icon: Icon) -> None: ...
    def prune(self) -> None:
        """Drop those that no agent has."""


NameKind: TypeAlias = Literal["client", "user", "group", "resource"]
"""Two names of one kind may not look alike. Agents and apps are one kind."""


@dataclass(frozen=True, slots=True)
class UnprotectedName:
    """A name from an earlier version that looks like an older name of its kind."""

    kind: NameKind
    bearer: str
    name: str


@dataclass(frozen=True, slots=True)
class FormerName:
    """What an agent was called before, and until when."""

    name: str
    until: int


class NameRows(Protocol):
    """What names look like (`confusables.name_keys`), and former names of agents.

    A method that stores a client, user, group or resource MUST raise `Taken` if another one of its
    kind looks like it. It keeps a name of an earlier version that looks like another one, until
    that name changes.
    """

    def bearers(self, kind: NameKind, looks: Collection[str]) -> list[str]:
        """The ids of those whose names have one of these looks; the URIs of resources."""

    def unprotected(self) -> list[UnprotectedName]:
        """Names from an earlier version whose look belongs to another one, or did."""

    def add_former(self, agent_id: str, former: FormerName) -> None: ...
    def former(self, agent_id: str) -> list[FormerName]:
        """What an agent was called before, the newest first."""
