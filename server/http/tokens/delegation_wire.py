"""Issued tokens as JSON."""

from typing import Literal

from pydantic import BaseModel

from server.http.wire import Listed, Named, moment
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


class ManagedDelegations(Listed[ManagedDelegation]):
    """A page of the list of issued tokens, newest first."""


class DelegationChain(BaseModel):
    """An issued token, its ancestors (its parent first) and its descendants."""

    delegation: ManagedDelegation
    before: list[ManagedDelegation]
    after: list[ManagedDelegation]


class RevokedDelegation(BaseModel):
    """A revoked token, and the number of tokens revoked with it, itself included."""

    delegation: ManagedDelegation
    tokens_revoked: int


def delegation(named: NamedDelegation, now: int) -> ManagedDelegation:
    """Return an issued token as JSON."""
    row = named.delegation
    user = None if named.user is None else Named(id=named.user.id, name=named.user.name)
    return ManagedDelegation(
        id=row.id,
        state=named.state(now),
        client=Named(id=row.client_id, name=named.client_name),
        user=user,
        resource=row.resource,
        scope=row.scope.split(),
        actors=[Named(id=actor, name=name) for actor, name in named.actors],
        depth=row.depth,
        parent=row.parent_id,
        approval=row.approval_id,
        consent=row.consent_id,
        bound=row.jkt is not None,
        issued_at=rfc3339(row.issued_at),
        expires_at=rfc3339(row.expires_at),
        last_used_at=moment(row.last_used_at),
        revoked_at=moment(row.revoked_at),
    )
