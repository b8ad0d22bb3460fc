"""Web push: allowed push services, subscription keys, payload and headers (RFC 8030, 8291).

Owns: the checks of a subscription, the members and headers of a push. Never: names, amounts or an
agent's text in a push, because a locked screen shows the notification.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from server.protocol import base64url
from server.protocol.clients import jwks
from server.protocol.policy.risks import Risk
from server.protocol.resources import uris

VERSION: Final = 1
_HOSTS: Final = frozenset({"fcm.googleapis.com", "jmt17.google.com"})
_HOST_SUFFIXES: Final = (".push.services.mozilla.com", ".push.apple.com", ".notify.windows.com")
_HTTPS_PORT: Final = 443
_POINT_BYTES: Final = 65
_AUTH_BYTES: Final = 16
_TOPIC_CHARACTERS: Final = 32


@dataclass(frozen=True, slots=True)
class PushContent:
    """The contents of a push for the service worker. Times are in milliseconds."""

    kind: str
    subject: str
    """The ID of the request; "" if the push is not about a request."""
    risk: Risk
    until: int
    waiting: int
    """The number of pending requests of this person."""
    step: int
    """The number of escalations. The service worker notifies once per step."""
    at: int
    """When `waiting` was counted, because pushes may arrive out of order."""


def endpoint_problem(endpoint: str, origins: Collection[str]) -> str:
    """Return why this endpoint is not allowed; "" if it is allowed (RFC 8030 8.2).

    `origins` are the additional push services in the settings.
    """
    if problem := uris.callback_problem(endpoint, development=True):
        return problem
    if origin(endpoint) in origins:
        return ""
    parts = urlsplit(endpoint)
    if parts.scheme != "https" or (parts.port or _HTTPS_PORT) != _HTTPS_PORT:
        return "must be https on port 443"
    if not is_listed(parts.hostname or ""):
        return "is at an unknown push service. The operator can allow it with SAYSO_PUSH_ORIGINS"
    return ""


def is_listed(host: str) -> bool:
    """Return whether this is the push service of a well-known browser."""
    return host in _HOSTS or host.endswith(_HOST_SUFFIXES)


def origin(url: str) -> str:
    """Return the serialized origin of an absolute URL (RFC 6454 6.2)."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default_port = {"http": 80, "https": _HTTPS_PORT}.get(parts.scheme)
    port = "" if parts.port in {None, default_port} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def keys_problem(p256dh: str, auth: str) -> str:
    """Return what is wrong with a subscription's keys, or "" (RFC 8291 2.1, 3.2)."""
    try:
        point, secret = base64url.decode(p256dh), base64url.decode(auth)
    except ValueError:
        return "keys must be base64url without padding"
    if len(point) != _POINT_BYTES or not _is_on_curve(point):
        return "p256dh must be an uncompressed point of P-256"
    if len(secret) != _AUTH_BYTES:
        return f"auth must be {_AUTH_BYTES} bytes"
    return ""


def urgency(risk: Risk) -> str:
    """Return the urgency header (RFC 8030 5.3).

    It is at least normal, because a phone may delay less urgent pushes until it is charging.
    """
    return "high" if risk.rank >= Risk.HIGH.rank else "normal"


def topic(subject: str) -> str:
    """Return the topic header. A newer push replaces a waiting one on its topic (RFC 8030 5.4)."""
    digest = hashlib.sha256(subject.encode()).digest()
    return base64url.encode(digest)[:_TOPIC_CHARACTERS]


def payload(content: PushContent) -> bytes:
    """Return the JSON for the service worker; `exp` is in seconds."""
    members = {
        "v": VERSION,
        "kind": content.kind,
        "id": content.subject,
        "risk": content.risk,
        "exp": content.until // 1000,
        "n": content.waiting,
        "step": content.step,
        "at": content.at,
    }
    return json.dumps(members, separators=(",", ":")).encode()


def _is_on_curve(point: bytes) -> bool:
    x, y = int.from_bytes(point[1:33]), int.from_bytes(point[33:])
    return point[0] == 4 and jwks.is_on_p256(x, y)  # noqa: PLR2004  # SEC 1 2.3.3
