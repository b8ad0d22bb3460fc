"""Signing keys: what is sent and answered."""

from typing import Literal

from pydantic import BaseModel

from server.http.admin_bodies import Body
from server.http.wire import Text, moment
from server.model.tokens import SigningKey
from server.services.policy.displays import rfc3339
from server.services.tokens.keys import Rotated


class KeyRotation(Body):
    """Which algorithm gets a new key."""

    alg: Text


class ManagedKey(BaseModel):
    """A signing key's public facts."""

    kid: str
    alg: str
    state: Literal["active", "retiring"]
    created_at: str
    retires_at: str | None


class ManagedKeys(BaseModel):
    """Every signing key, newest first."""

    items: list[ManagedKey]


class RotatedKey(BaseModel):
    """The key that signs from now on, and what became of the others."""

    key: ManagedKey
    retiring: list[str]
    dropped: list[str]


class RevokedKey(BaseModel):
    """A key that was taken away, and the one that signs in its place."""

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
