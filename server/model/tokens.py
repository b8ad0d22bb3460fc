"""Issued tokens and signing keys, and what their rows promise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from server.model.clients import Agent, App
from server.model.users import User
from server.protocol.json_text import JsonValue


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


def published(keys: Iterable[SigningKey], now: int) -> tuple[SigningKey, ...]:
    """The keys that anybody may still trust: one is over at its time, dropped already or not."""
    return tuple(key for key in keys if key.retires_at is None or now < key.retires_at)


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token that counts now, with those who stand behind it."""

    claims: Mapping[str, object]
    row: Delegation
    client: Agent | App
    user: User | None
    """None when an agent acts for itself."""


State = Literal["live", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class NamedDelegation:
    """A delegation with the names that its ids stand for."""

    delegation: Delegation
    client_name: str
    user: User | None
    """None when an agent acts for itself, or the user is gone."""
    actors: tuple[tuple[str, str], ...] = ()
    """Id and name of everybody who acts in it, the current one first."""

    def state(self, now: int) -> State:
        """How it stands at this moment."""
        if self.delegation.revoked_at is not None:
            return "revoked"
        return "live" if now < self.delegation.expires_at else "expired"


class KeyRows(Protocol):
    """Signing keys."""

    def add(self, key: SigningKey) -> None: ...
    def retire(self, kid: str, retires_at: int) -> None: ...
    def revoke(self, kid: str) -> bool: ...
    def drop_retired(self, now: int) -> list[str]: ...


class DelegationRows(Protocol):
    """Issued access tokens."""

    def add(self, delegation: Delegation) -> None: ...
    def get(self, jti: str) -> Delegation | None: ...
    def of_approval(self, approval_id: str) -> Delegation | None: ...
    def extend(self, jti: str, now: int) -> Delegation | None:
        """The token, if something may come out of it now; remembers the use.

        It MUST be one conditional UPDATE, so that nobody revokes it before this unit is over.
        """

    def used(self, jti: str, now: int) -> None:
        """Remember that it was seen in use, at most once a minute."""

    def ancestors(self, jti: str) -> list[Delegation]:
        """What it came from, its parent first."""

    def descendants(self, jti: str) -> list[Delegation]:
        """What came from it, oldest first."""

    def search(
        self,
        *,
        client_id: str | None,
        user_id: str | None,
        resource: str | None,
        live_at: int | None,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[Delegation]:
        """The newest that match all that is given; `live_at` leaves out what is over then."""

    def clients_for(self, user_id: str, now: int) -> list[str]:
        """Who has a live token that acts for this user."""

    def revoke_tree(self, jti: str, now: int) -> list[str]:
        """Revoke a token and all that came from it; returns the ids that were live.

        Each of the four MUST also find what is being made from a token while it is revoked.
        """

    def revoke_consent(self, consent_id: str, now: int) -> list[str]:
        """Revoke what stands on a consent and all that came from it."""

    def live_of_client(self, client_id: str, now: int) -> tuple[int, int]:
        """How many live tokens are its own, and how many of others came from them."""

    def revoke_client(self, client_id: str, now: int) -> list[str]:
        """Revoke an agent's or app's tokens and all that came from them."""

    def revoke_at(self, resource: str, now: int) -> list[str]:
        """Revoke the tokens for this resource, and all that came from them."""

    def revoke_user(self, user_id: str, now: int) -> list[str]:
        """Revoke the tokens that act for this user."""


class ReplayRows(Protocol):
    """Things that count once."""

    def first_use(self, kind: str, key: bytes, expires_at: int) -> bool: ...
    def prune(self, now: int) -> int: ...


@dataclass(frozen=True, slots=True)
class LoggedExchange:
    """An exchange as the log keeps it: everything that decides, and nothing that could be used."""

    subject: str
    """The subject token's id."""
    may_act: Mapping[str, str] | None
    target: str | None
    scope: tuple[str, ...]
    details: tuple[Mapping[str, JsonValue], ...] = ()
    types: tuple[str, ...] = ()
    """The types of the details."""
    signed_for: bool | None = None
    """Whether a person had signed for the details, where the details are not there any more."""
