"""The JSON of issued tokens, for the command line and the API."""

from server.model.tokens import NamedDelegation
from server.protocol.times import rfc3339, rfc3339_or_none


def delegation(named_delegation: NamedDelegation, now: int) -> dict[str, object]:
    """Return an issued token: its client, user, resource, actors and times."""
    row = named_delegation.delegation
    user = (
        None
        if named_delegation.user is None
        else {"id": named_delegation.user.id, "name": named_delegation.user.name}
    )
    return {
        "id": row.id,
        "state": named_delegation.state(now),
        "client": {"id": row.client_id, "name": named_delegation.client_name},
        "user": user,
        "resource": row.resource,
        "scope": row.scope.split(),
        "actors": [{"id": actor, "name": name} for actor, name in named_delegation.actors],
        "depth": row.depth,
        "parent": row.parent_id,
        "approval": row.approval_id,
        "consent": row.consent_id,
        "bound": row.jkt is not None,
        "issued_at": rfc3339(row.issued_at),
        "expires_at": rfc3339(row.expires_at),
        "last_used_at": rfc3339_or_none(row.last_used_at),
        "revoked_at": rfc3339_or_none(row.revoked_at),
    }
