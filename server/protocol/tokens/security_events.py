"""Security event tokens that tell APIs which access has ended (RFC 8417, SSF 1.0, CAEP 1.0)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

CONFIGURATION: Final = "/.well-known/ssf-configuration"
TOKEN_TYPE: Final = "secevent+jwt"  # noqa: S105  # a media type
POLL: Final = "urn:ietf:rfc:8936"
SESSION_REVOKED: Final = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
KEPT_MS: Final = 7 * 24 * 60 * 60 * 1000
"""How long an event is kept for its API."""
RECENT_MS: Final = 60 * 60 * 1000
"""An API gets an event only if one of its tokens was valid within this time."""
MAX_EVENTS: Final = 100
"""The maximum number of events in one response."""

REASONS: Final[Mapping[str, str]] = {
    "agent_disabled": "The agent was disabled or deleted.",
    "agent_quarantined": "The agent was quarantined.",
    "app_disabled": "The app was disabled or deleted.",
    "user_disabled": "The user was disabled.",
}


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """The access of an agent, app or user to one API ended. `id` is the jti of the event."""

    id: str
    resource: str
    subject: str
    initiator: str
    reason: str
    at: int


def claims(issuer: str, event: SecurityEvent) -> dict[str, object]:
    """Return the claims of a security event token (RFC 8417 2.2).

    It has neither `sub` nor `exp`, so that it cannot be mistaken for an access token (SSF 4.1).
    """
    about = {
        "event_timestamp": event.at // 1000,
        "initiating_entity": event.initiator,
        "reason_admin": {"en": REASONS[event.reason]},
    }
    return {
        "iss": issuer,
        "aud": event.resource,
        "jti": event.id,
        "iat": event.at // 1000,
        "sub_id": {"format": "iss_sub", "iss": issuer, "sub": event.subject},
        "events": {SESSION_REVOKED: about},
    }


def configuration(issuer: str) -> dict[str, object]:
    """Return the metadata of the transmitter (SSF 7.1), with only supported features."""
    return {
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks",
        "delivery_methods_supported": [POLL],
        "configuration_endpoint": f"{issuer}/ssf/stream",
        "default_subjects": "ALL",
    }


def stream(issuer: str, stream_id: str, resources: Sequence[str]) -> dict[str, object]:
    """Return the only stream of a resource server (SSF 8.1.1)."""
    events = [SESSION_REVOKED]
    return {
        "stream_id": stream_id,
        "iss": issuer,
        "aud": resources[0] if len(resources) == 1 else list(resources),
        "events_supported": events,
        "events_requested": events,
        "events_delivered": events,
        "delivery": {"method": POLL, "endpoint_url": f"{issuer}/ssf/poll"},
    }
