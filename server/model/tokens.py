"""Issued tokens and signing keys."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from server.model.clients import Agent, App
from server.model.users import User
from server.protocol.json_text import JsonValue


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A signing key. The master key encrypts the private half; `crypto.jose` decrypts it."""

    kid: str
    alg: str
    public_jwk: Mapping[str, str]
    sealed: bytes
    state: Literal["active", "retiring"]
    created_at: int
    retires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Delegation:
    """An issued access token: its client, user, resource, scope and expiry. `id` is its jti."""

    id: str
    client_id: str
    """The agent or app that it was issued to."""
    user_id: str | None
    resource: str
    scope: str
    issued_at: int
    expires_at: int
    chain: str = ""
    """The `act` claim as JSON text; "" if the client acts for itself."""
    depth: int = 0
    """Number of actors in the chain."""
    details: str = "[]"
    """`authorization_details` as JSON text."""
    parent_id: str | None = None
    """The token that this one was exchanged for; None for a token that begins a chain."""
    approval_id: str | None = None
    consent_id: str | None = None
    """The consent that allows it."""
    jkt: str | None = None
    """The thumbprint of the key that the token is bound to."""
    last_used_at: int | None = None
    revoked_at: int | None = None


def published(keys: Iterable[SigningKey], now: int) -> tuple[SigningKey, ...]:
    """Return the keys that are valid now. A retiring key is invalid from `retires_at` on."""
    return tuple(key for key in keys if key.retires_at is None or now < key.retires_at)


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A valid token with its client and user."""

    claims: Mapping[str, object]
    row: Delegation
    client: Agent | App
    user: User | None
    """None when an agent acts for itself."""


State = Literal["live", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class NamedDelegation:
    """A delegation with the names of its client, user and actors."""

    delegation: Delegation
    client_name: str
    user: User | None
    """None if an agent acts for itself, or the user was deleted."""
    actors: tuple[tuple[str, str], ...] = ()
    """ID and name of each actor, the current one first."""

    def state(self, now: int) -> State:
        """Return its state at this moment."""
        if self.delegation.revoked_at is not None:
            return "revoked"
        return "live" if now < self.delegation.expires_at else "expired"


@dataclass(frozen=True, slots=True)
class LoggedExchange:
    """An exchange as stored in the audit log: enough to evaluate it again, but without tokens."""

    subject: str
    """The ID of the subject token."""
    may_act: Mapping[str, str] | None
    target: str | None
    scope: tuple[str, ...]
    details: tuple[Mapping[str, JsonValue], ...] = ()
    types: tuple[str, ...] = ()
    """The types of the details."""
    signed_for: bool | None = None
    """Whether the person signed these details; None if `details` allows a comparison."""
