"""Endpoints for signing keys."""

from typing import Literal

from pydantic import BaseModel

from server.http.route import managed
from server.http.wire import RecordResponse, StrictBody, Text, Time
from server.services.operations.administration import AdminServices


class KeyRotation(StrictBody):
    """The algorithm of the new signing key."""

    alg: Text


class ManagedKey(RecordResponse):
    """A signing key, without its private part."""

    kid: str
    alg: str
    state: Literal["active", "retiring"]
    created_at: Time
    retires_at: Time | None


class ManagedKeys(BaseModel):
    """The signing keys, newest first."""

    items: list[ManagedKey]


class RotatedKey(RecordResponse):
    """The current signing key, and the keys that it replaced."""

    key: ManagedKey
    retiring: list[str]
    dropped: list[str]


class RevokedKey(RecordResponse):
    """A revoked key, and the key that replaces it."""

    kid: str
    alg: str
    replaced_by: ManagedKey | None


@managed("GET /api/keys")
def list_keys(admin: AdminServices) -> ManagedKeys:
    """List signing keys, newest first."""
    return ManagedKeys(items=[ManagedKey.of(key) for key in admin.keys.all()])


@managed("POST /api/keys", status=201, signed=True)
def rotate(admin: AdminServices, body: KeyRotation) -> RotatedKey:
    """Create a new signing key and use it."""
    rotated = admin.keys.rotate(body.alg, by=admin.by)
    return RotatedKey.of(rotated, retiring=[key.kid for key in rotated.retiring])


@managed("POST /api/keys/<id>/revoke")
def revoke(admin: AdminServices, record_id: str) -> RevokedKey:
    """Revoke a leaked signing key immediately."""
    return RevokedKey.of(admin.keys.revoke(record_id, by=admin.by))
