"""Terminal sessions: starting them, their token responses and their lifetimes."""

from collections.abc import Mapping
from typing import Final

from server.model.devices import Session
from server.model.ports import Secrets
from server.model.store import Unit
from server.protocol import names
from server.protocol.approvals import decisions
from server.protocol.names import handle_hash

IDLE_MS: Final = 30 * 24 * 60 * 60 * 1000
UNREGISTERED_MS: Final = 15 * 60 * 1000
"""The lifetime of a session without a device; it can only register one."""


def start_session(
    tx: Unit,
    secrets: Secrets,
    jwk: Mapping[str, str],
    *,
    user_id: str,
    code_id: str,
    admitted_as: str | None = None,
) -> tuple[Session, str]:
    """Start a session for a key with proven possession; return it and its refresh token."""
    refresh = secrets.new_secret(names.PREFIX_REFRESH_TOKEN)
    session = Session(
        id=secrets.new_id(names.PREFIX_SESSION),
        user_id=user_id,
        code_id=code_id,
        jkt=decisions.thumbprint(jwk),
        public_jwk=jwk,
        refresh_hash=handle_hash(refresh),
        rotated_at=tx.now,
        created_at=tx.now,
        expires_at=tx.now + UNREGISTERED_MS,
        admitted_as=admitted_as,
    )
    tx.sessions.add(session)
    return session, refresh
