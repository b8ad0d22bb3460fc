"""Signing keys as JSON."""

from typing import Literal

from pydantic import BaseModel

from server.http.wire import StrictBody, Text
from server.model.tokens import SigningKey
from server.services.policy.displays import moment, rfc3339
from server.services.tokens.keys import RotatedKeys


class KeyRotation(StrictBody):
    """The algorithm of the new key."""

    alg: Text


class ManagedKey(BaseModel):
    """The public data of a signing key."""

    kid: str
    alg: str
    state: Literal["active", "retiring"]
    created_at: str
    retires_at: str | None


class ManagedKeys(BaseModel):
    """The signing keys, newest first."""

    items: list[ManagedKey]


class RotatedKey(BaseModel):
    """The key that signs now, and the keys that it replaced."""

    key: ManagedKey
    retiring: list[str]
    dropped: list[str]


class RevokedKey(BaseModel):
    """A revoked key, and the key that signs instead."""

    kid: str
    alg: str
    replaced_by: ManagedKey | None


def key(record: SigningKey) -> ManagedKey:
    """Return a signing key as JSON."""
    return ManagedKey(
        kid=record.kid,
        alg=record.alg,
        state=record.state,
        created_at=rfc3339(record.created_at),
        retires_at=moment(record.retires_at),
    )


def rotated(record: RotatedKeys) -> RotatedKey:
    """Return a rotation as JSON."""
    return RotatedKey(
        key=key(record.key),
        retiring=[key.kid for key in record.retiring],
        dropped=list(record.dropped),
    )
