"""Issued tokens: who acts for whom, as JSON."""

from typing import Literal

from pydantic import BaseModel

from server.http.wire import Named, moment
from server.model.tokens import NamedDelegation
from server.services.policy.displays import rfc3339


class ManagedDelegation(BaseModel):
    """An issued token: who acts for whom, where, until when."""

    id: str
    state: Literal["live", "expired", "revoked"]
    client: Named
    user: Named | None
    resource: str
    scope: list[str]
    actors: list[Named]
    depth: int
    parent: str | None
    approval: str | None
    consent: str | None
    bound: bool
    issued_at: str
    expires_at: str
    last_used_at: str | None
    revoked_at: str | None


class ManagedDelegations(BaseModel):
    """A page of the list of issued tokens, newest first."""

    items: list[ManagedDelegation]
    next: str | None


class DelegationChain(BaseModel):
    """An issued token, what it came from (its parent first) and what came from it."""

    delegation: ManagedDelegation
    before: list[ManagedDelegation]
    after: list[ManagedDelegation]


class RevokedDelegation(BaseModel):
    """A revoked token, and how many ended with it, itself included."""

    delegation: ManagedDelegation
    tokens_revoked: int


def delegation(held: NamedDelegation, now: int) -> ManagedDelegation:
    """An issued token as JSON."""
    one = held.delegation
    user = None if held.user is None else Named(id=held.user.id, name=held.user.name)
    return ManagedDelegation(
        id=one.id,
        state=held.state(now),
        client=Named(id=one.client_id, name=held.client_name),
        user=user,
        resource=one.resource,
        scope=one.scope.split(),
        actors=[Named(id=actor, name=name) for actor, name in held.actors],
        depth=one.depth,
        parent=one.parent_id,
        approval=one.approval_id,
        consent=one.consent_id,
        bound=one.jkt is not None,
        issued_at=rfc3339(one.issued_at),
        expires_at=rfc3339(one.expires_at),
        last_used_at=moment(one.last_used_at),
        revoked_at=moment(one.revoked_at),
    )
