"""Issued tokens as JSON."""

from typing import Literal

from pydantic import BaseModel

from server.http.wire import Listed, RecordResponse, Reference, Time
from server.model.tokens import NamedDelegation


class ManagedDelegation(RecordResponse):
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
    issued_at: Time
    expires_at: Time
    last_used_at: Time | None
    revoked_at: Time | None


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
    record = named_delegation.delegation
    return ManagedDelegation.of(
        record,
        state=named_delegation.state(now),
        client=Reference(id=record.client_id, name=named_delegation.client_name),
        user=named_delegation.user,
        scope=record.scope.split(),
        actors=[Reference(id=actor, name=name) for actor, name in named_delegation.actors],
        parent=record.parent_id,
        approval=record.approval_id,
        consent=record.consent_id,
        bound=record.jkt is not None,
    )
