"""Web push: where one may be sent, with which keys, and what it says (RFC 8030, 8291, 8292).

Owns: what a browser's subscription must be, the few members of a push, its headers. Never: a name,
an amount or a word of an agent: a push service sees the size, and a locked screen the text.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from server.protocol import base64url
from server.protocol.policy.risks import Risk
from server.protocol.resources import uris

VERSION: Final = 1
_HOSTS: Final = frozenset({"fcm.googleapis.com", "jmt17.google.com"})
_FAMILIES: Final = (".push.services.mozilla.com", ".push.apple.com", ".notify.windows.com")
_HTTPS: Final = 443
_POINT_BYTES: Final = 65
_AUTH_BYTES: Final = 16
_TOPIC_CHARACTERS: Final = 32


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """What a service worker is told; times in milliseconds."""

    kind: str
    subject: str
    """Which request; "" for none."""
    risk: Risk
    until: int
    waiting: int
    """How many wait for this person."""
    step: int
    """How often the request was escalated; whoever has heard it at this step heard it."""
    at: int
    """When they were counted: messages overtake each other."""


_PRIME: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
"""P-256 is y² = x³ - 3x + b (FIPS 186-5, SP 800-186 3.2.1.3)."""


def endpoint_problem(endpoint: str, origins: Collection[str]) -> str:
    """Why nothing is sent to this push service; "" when it may be (RFC 8030 8.2).

    `origins` are those that the operator named beside the services of the well-known browsers.
    """
    if problem := uris.callback_problem(endpoint, development=True):
        return problem
    if origin(endpoint) in origins:
        return ""
    parts = urlsplit(endpoint)
    if parts.scheme != "https" or (parts.port or _HTTPS) != _HTTPS:
        return "must be https at port 443"
    if not is_listed(parts.hostname or ""):
        return "is at a push service that is not listed: the operator can, by SAYSO_PUSH_ORIGINS"
    return ""


def is_listed(host: str) -> bool:
    """Reports whether this is a push service of a browser that everybody knows."""
    return host in _HOSTS or host.endswith(_FAMILIES)


def origin(url: str) -> str:
    """Scheme, host and port of an absolute URL, in their one spelling (RFC 6454 6.2)."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    known = {"http": 80, "https": _HTTPS}.get(parts.scheme)
    port = "" if parts.port in {None, known} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def keys_problem(p256dh: str, auth: str) -> str:
    """What is wrong with a subscription's keys; "" when nothing is (RFC 8291 2.1, 3.2)."""
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
    """How soon a sleeping phone is told (RFC 8030 5.3).

    Never less than normal: whoever waits for a charger is told of what has lapsed.
    """
    return "high" if risk.rank >= Risk.HIGH.rank else "normal"


def topic(subject: str) -> str:
    """What a later push about the same subject replaces, as long as it waits (RFC 8030 5.4)."""
    digest = hashlib.sha256(subject.encode()).digest()
    return base64url.encode(digest)[:_TOPIC_CHARACTERS]


def payload(said: PushAnswer) -> bytes:
    """The same as a service worker reads it; `exp` is in seconds."""
    members = {
        "v": VERSION,
        "kind": said.kind,
        "id": said.subject,
        "risk": said.risk,
        "exp": said.until // 1000,
        "n": said.waiting,
        "step": said.step,
        "at": said.at,
    }
    return json.dumps(members, separators=(",", ":")).encode()


def _is_on_curve(point: bytes) -> bool:
    x, y = int.from_bytes(point[1:33]), int.from_bytes(point[33:])
    inside = point[0] == 4 and x < _PRIME and y < _PRIME  # noqa: PLR2004  # SEC 1 2.3.3
    return inside and (y * y - (x * x * x - 3 * x + _B)) % _PRIME == 0
