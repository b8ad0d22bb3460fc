"""Issued tokens as JSON."""

from typing import Literal

from pydantic import BaseModel

from server.http.wire import Listed, Reference
from server.model.tokens import NamedDelegation
from server.services.tokens import delegation_json


class ManagedDelegation(BaseModel):
    """An issued token: who acts for whom, at which resource, and until when."""

    id: str
    state: Literal["live", "expired", "revoked"]
    client: Reference
    user: Reference | None
    resource: str
    scope: list[str]
    actors: list[Reference]
    depth: int
    parent: str | None
    approval: str | None
    consent: str | None
    bound: bool
    issued_at: str
    expires_at: str
    last_used_at: str | None
    revoked_at: str | None


class ManagedDelegations(Listed[ManagedDelegation]):
    """A page of the list of issued tokens, newest first."""


class DelegationChain(BaseModel):
    """An issued token, its ancestors (its parent first), and its descendants."""

    delegation: ManagedDelegation
    before: list[ManagedDelegation]
    after: list[ManagedDelegation]


class RevokedDelegation(BaseModel):
    """A revoked token, and the number of revoked tokens, including this one."""

    delegation: ManagedDelegation
    tokens_revoked: int


def delegation(named_delegation: NamedDelegation, now: int) -> ManagedDelegation:
    """Return an issued token as JSON."""
    return ManagedDelegation.model_validate(delegation_json.delegation(named_delegation, now))
