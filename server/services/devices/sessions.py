"""The token response of terminals' sessions, and their lifetimes."""

from typing import Final

from server.protocol.tokens.tokens import API_TOKEN_SECONDS

IDLE_MS: Final = 30 * 24 * 60 * 60 * 1000
UNREGISTERED_MS: Final = 15 * 60 * 1000
"""Lifetime of a session without a device; it can only register one."""


def session_answer(access_token: str, refresh_token: str) -> dict[str, object]:
    """Return the token response for a terminal (RFC 9449 5)."""
    return {
        "access_token": access_token,
        "token_type": "DPoP",
        "expires_in": API_TOKEN_SECONDS,
        "refresh_token": refresh_token,
    }
