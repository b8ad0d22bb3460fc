"""Web push: a browser is called by its push service (RFC 8030, encrypted by RFC 8291).

Owns: the message as it leaves, and what each answer means. Never: what it says (`pushes.py`), or a
word of what a push service answered: it is somebody else's text.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final

from server.delivery import egress
from server.delivery.egress import Reach, Undeliverable
from server.model.notifications import OutboxMessage, Push
from server.model.store import Unit
from server.protocol.notifications import web_push
from server.services.notifications.pushes import Pushes

_MOST_ANSWER: Final = 2 * 1024
_GONE: Final = frozenset({404, 410})
_LATER: Final = frozenset({408, 425, 429})
_FAULT: Final = 500
_LONGEST_WAIT_MS: Final = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class WebPush:
    """Calls browsers."""

    pushes: Pushes
    private_key: str
    """Base64url of 32 bytes."""
    contact: str
    """Whom a push service may ask about us: `mailto:` or `https:` (RFC 8292 2.1)."""
    origins: Collection[str]
    """Push services that the operator named; they may be anywhere."""
    reach: Reach
    """How far the way to all others goes."""
    sent: set[int] = field(default_factory=set)
    """Messages that really left, until their row says so."""

    def deliver(self, message: OutboxMessage) -> None:
        """POST it, if there is still something to say. Raises `egress.Undeliverable`.

        A browser that its push service does not know any more is forgotten.
        """
        if (push := self.pushes.prepare(message.body)) is None:
            return
        status, headers = self._post(push)
        if status in _GONE:
            self.pushes.gone(message.body)
        elif status >= 300:  # noqa: PLR2004  # RFC 9110 15.3
            later = status in _LATER or status >= _FAULT
            wait = _wait_ms(headers) if later else 0
            raise Undeliverable(f"status {status}", retry=later, after_ms=wait)
        else:
            self.sent.add(message.id)

    def arrived(self, tx: Unit, message: OutboxMessage) -> None:
        """Its push service has it, unless nothing was to be said."""
        if message.id in self.sent:
            self.sent.discard(message.id)
            self.pushes.arrived(tx, message.body)

    def lost(self, tx: Unit, message: OutboxMessage, why: str) -> None:
        """The subscription stays, and says what is wrong with it."""
        self.pushes.lost(tx, message.body, why)

    def _post(self, push: Push) -> tuple[int, Mapping[str, str]]:
        """Encrypt and send; the status and headers of the answer."""
        from py_vapid import VapidException  # noqa: PLC0415  # loads another HTTP client
        from pywebpush import WebPushException, webpush  # noqa: PLC0415  # likewise

        address = push.address
        door = _Door(self._reach(address.endpoint))
        keys = {"p256dh": address.p256dh, "auth": address.auth}
        try:
            webpush(
                {"endpoint": address.endpoint, "keys": keys},
                data=push.payload,
                vapid_private_key=self.private_key,
                vapid_claims={"sub": self.contact},  # a new one: it writes the audience into it
                ttl=push.ttl,
                headers={
                    "Content-Type": "application/octet-stream",
                    "Urgency": push.urgency,
                    "Topic": push.topic,
                },
                requests_session=door,
            )
        except WebPushException as refused:
            if door.answer is None:
                raise Undeliverable("the message cannot be encrypted", retry=False) from refused
        except (VapidException, ValueError, TypeError) as fault:
            raise Undeliverable(f"a key is unusable: {type(fault).__name__}", retry=False) from None
        assert door.answer is not None  # noqa: S101  # it has posted, or it has raised
        return door.answer.status, door.answer.headers

    def _reach(self, endpoint: str) -> Reach | None:
        """None where the operator named the push service."""
        return None if web_push.origin(endpoint) in self.origins else self.reach


class _Door:
    """What `pywebpush` posts with: the one way outward."""

    def __init__(self, reach: Reach | None) -> None:
        self._reach = reach
        self.answer: egress.Answer | None = None

    def post(self, url: str, *, data: bytes, headers: Mapping[str, str], **_: object) -> "_Said":
        """One request. Raises `egress.Undeliverable`."""
        self.answer = egress.send(
            "POST", url, body=data, headers=headers, reach=self._reach, most=_MOST_ANSWER
        )
        return _Said(self.answer.status)


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer as `pywebpush` looks at it, without its text."""

    status_code: int
    reason: str = ""
    text: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict)


def _wait_ms(headers: Mapping[str, str]) -> int:
    """What the push service asks us to wait (RFC 9110 10.2.3), an hour at most; 0 for nothing."""
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdecimal():
        return min(int(asked[:6]) * 1000, _LONGEST_WAIT_MS)
    try:
        until, now = (parsedate_to_datetime(text) for text in (asked, headers.get("date", "")))
        wait = round((until - now).total_seconds() * 1000)
    except (ValueError, TypeError):
        return 0
    return min(max(0, wait), _LONGEST_WAIT_MS)
