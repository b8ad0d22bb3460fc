"""Signing keys: what is sent and answered."""

from typing import Literal

from pydantic import BaseModel

from server.http.wire import StrictBody, Text, moment
from server.model.tokens import SigningKey
from server.services.policy.displays import rfc3339
from server.services.tokens.keys import Rotated


class KeyRotation(StrictBody):
    """The algorithm of the new key."""

    alg: Text


class ManagedKey(BaseModel):
    """The public facts of a signing key."""

    kid: str
    alg: str
    state: Literal["active", "retiring"]
    created_at: str
    retires_at: str | None


class ManagedKeys(BaseModel):
    """List signing keys, newest first."""

    items: list[ManagedKey]


class RotatedKey(BaseModel):
    """The key that signs from now on, and the state of the others."""

    key: ManagedKey
    retiring: list[str]
    dropped: list[str]


class RevokedKey(BaseModel):
    """A revoked key, and the one that signs instead."""

    kid: str
    alg: str
    replaced_by: ManagedKey | None


def key(record: SigningKey) -> ManagedKey:
    """A signing key as JSON."""
    return ManagedKey(
        kid=record.kid,
        alg=record.alg,
        state=record.state,
        created_at=rfc3339(record.created_at),
        retires_at=moment(record.retires_at),
    )


def rotated(record: Rotated) -> RotatedKey:
    """A rotation as JSON."""
    return RotatedKey(
        key=key(record.key),
        retiring=[one.kid for one in record.retiring],
        dropped=list(record.dropped),
    )
