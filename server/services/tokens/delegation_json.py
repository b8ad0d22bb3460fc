"""The JSON of issued tokens, for the command line and the API."""

from server.model.tokens import NamedDelegation
from server.services.policy.displays import moment, rfc3339


def delegation(named: NamedDelegation, now: int) -> dict[str, object]:
    """An issued token: who acts for whom, where, until when."""
    row = named.delegation
    user = None if named.user is None else {"id": named.user.id, "name": named.user.name}
    return {
        "id": row.id,
        "state": named.state(now),
        "client": {"id": row.client_id, "name": named.client_name},
        "user": user,
        "resource": row.resource,
        "scope": row.scope.split(),
        "actors": [{"id": actor, "name": name} for actor, name in named.actors],
        "depth": row.depth,
        "parent": row.parent_id,
        "approval": row.approval_id,
        "consent": row.consent_id,
        "bound": row.jkt is not None,
        "issued_at": rfc3339(row.issued_at),
        "expires_at": rfc3339(row.expires_at),
        "last_used_at": moment(row.last_used_at),
        "revoked_at": moment(row.revoked_at),
    }
