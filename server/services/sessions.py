"""What a terminal's session answers look like, and how long one may idle."""

from typing import Final

from server.protocol.tokens import API_TOKEN_SECONDS

IDLE_MS: Final = 30 * 24 * 60 * 60 * 1000


def session_answer(access_token: str, refresh_token: str) -> dict[str, object]:
    """The token answer for a terminal (RFC 9449 5)."""
    return {
        "access_token": access_token,
        "token_type": "DPoP",
        "expires_in": API_TOKEN_SECONDS,
        "refresh_token": refresh_token,
    }
