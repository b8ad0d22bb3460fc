"""Endpoints for signing keys."""

from typing import Literal

from pydantic import BaseModel

from server.http.route import managed
from server.http.wire import StrictBody, Text
from server.model.tokens import SigningKey
from server.protocol.times import rfc3339, rfc3339_or_none
from server.services.operations.administration import AdminServices


class KeyRotation(StrictBody):
    """The algorithm of the new signing key."""

    alg: Text


class ManagedKey(BaseModel):
    """A signing key, without its private part."""

    kid: str
    alg: str
    state: Literal["active", "retiring"]
    created_at: str
    retires_at: str | None


class ManagedKeys(BaseModel):
    """The signing keys, newest first."""

    items: list[ManagedKey]


class RotatedKey(BaseModel):
    """The current signing key, and the keys that it replaced."""

    key: ManagedKey
    retiring: list[str]
    dropped: list[str]


class RevokedKey(BaseModel):
    """A revoked key, and the key that replaces it."""

    kid: str
    alg: str
    replaced_by: ManagedKey | None


def _key(record: SigningKey) -> ManagedKey:
    """Return a signing key as JSON."""
    return ManagedKey(
        kid=record.kid,
        alg=record.alg,
        state=record.state,
        created_at=rfc3339(record.created_at),
        retires_at=rfc3339_or_none(record.retires_at),
    )


@managed("GET /api/keys")
def list_keys(admin: AdminServices) -> ManagedKeys:
    """List signing keys, newest first."""
    items = [_key(key) for key in admin.keys.all()]
    return ManagedKeys(items=items)


@managed("POST /api/keys", status=201, signed=True)
def rotate(admin: AdminServices, body: KeyRotation) -> RotatedKey:
    """Create a new signing key and use it."""
    rotated = admin.keys.rotate(body.alg, by=admin.by)
    retiring = [key.kid for key in rotated.retiring]
    return RotatedKey(key=_key(rotated.key), retiring=retiring, dropped=list(rotated.dropped))


@managed("POST /api/keys/<id>/revoke")
def revoke(admin: AdminServices, record_id: str) -> RevokedKey:
    """Revoke a leaked signing key immediately."""
    revoked = admin.keys.revoke(record_id, by=admin.by)
    new = None if revoked.replaced_by is None else _key(revoked.replaced_by)
    return RevokedKey(kid=revoked.kid, alg=revoked.alg, replaced_by=new)
