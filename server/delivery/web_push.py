"""Web push: sends messages to the push services of browsers (RFC 8030, encrypted by RFC 8291).

Owns: the request, and the meaning of each status. Never: the contents (`pushes.py`), or the text of
a push service's response, which is not trusted.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final

from server.delivery import egress
from server.delivery.egress import EgressLimits, Undeliverable
from server.model.notifications import OutboxMessage, Push
from server.model.ports import Fetched
from server.model.store import Unit
from server.protocol.notifications import web_push
from server.services.notifications.pushes import Pushes

_MAX_RESPONSE: Final = 2 * 1024
_GONE: Final = frozenset({404, 410})
_MAX_WAIT_MS: Final = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class WebPush:
    """Delivers web push messages."""

    pushes: Pushes
    private_key: str
    """32 bytes, as base64url."""
    contact: str
    """How push services can contact the operator: `mailto:` or `https:` (RFC 8292 2.1)."""
    origins: Collection[str]
    """Additional push services from the settings, whose addresses are not filtered."""
    reach: EgressLimits
    """The limits for all other push services."""
    sent_ids: set[int] = field(default_factory=set)
    """The IDs of messages that were actually sent, until `on_delivered`."""

    def deliver(self, message: OutboxMessage) -> None:
        """POST the push, if it is still needed. Raises `egress.Undeliverable`.

        If the push service no longer knows the subscription, it is removed.
        """
        if (push := self.pushes.prepare(message.body)) is None:
            return
        status, headers = self._post(push)
        if status in _GONE:
            self.pushes.remove_subscription(message.body)
        elif status >= 300:  # noqa: PLR2004  # RFC 9110 15.3
            retry = egress.is_temporary(status)
            wait = _wait_ms(headers) if retry else 0
            raise Undeliverable(f"status {status}", retry=retry, after_ms=wait)
        else:
            self.sent_ids.add(message.id)

    def on_delivered(self, tx: Unit, message: OutboxMessage) -> None:
        """Record the delivery if the message was actually sent."""
        if message.id in self.sent_ids:
            self.sent_ids.discard(message.id)
            self.pushes.record_delivery(tx, message.body)

    def on_abandoned(self, tx: Unit, message: OutboxMessage, reason: str) -> None:
        """Record the problem with the subscription, but keep the subscription."""
        self.pushes.record_failure(tx, message.body, reason)

    def _post(self, push: Push) -> tuple[int, Mapping[str, str]]:
        """Encrypt and send; return the status and headers of the response."""
        from py_vapid import VapidException  # noqa: PLC0415  # loads another HTTP client
        from pywebpush import WebPushException, webpush  # noqa: PLC0415  # as above

        address = push.address
        session = _Session(self._limits_for(address.endpoint))
        keys = {"p256dh": address.p256dh, "auth": address.auth}
        try:
            webpush(
                {"endpoint": address.endpoint, "keys": keys},
                data=push.payload,
                vapid_private_key=self.private_key,
                vapid_claims={"sub": self.contact},  # a new dict, because pywebpush changes it
                ttl=push.ttl,
                headers={
                    "Content-Type": "application/octet-stream",
                    "Urgency": push.urgency,
                    "Topic": push.topic,
                },
                requests_session=session,
            )
        except WebPushException as refused:
            if session.answer is None:
                raise Undeliverable("the message cannot be encrypted", retry=False) from refused
        except (VapidException, ValueError, TypeError) as fault:
            raise Undeliverable(f"a key is unusable: {type(fault).__name__}", retry=False) from None
        assert session.answer is not None  # noqa: S101  # webpush has either posted or raised
        return session.answer.status, session.answer.headers

    def _limits_for(self, endpoint: str) -> EgressLimits | None:
        """Return the limits for this push service; None if it is in the settings."""
        return None if web_push.origin(endpoint) in self.origins else self.reach


class _Session:
    """The session for `pywebpush`; sends requests with `egress`."""

    def __init__(self, reach: EgressLimits | None) -> None:
        self._reach = reach
        self.answer: Fetched | None = None

    def post(
        self, url: str, *, data: bytes, headers: Mapping[str, str], **_: object
    ) -> "_StatusOnly":
        """Send one request. Raises `egress.Undeliverable`."""
        self.answer = egress.send(
            "POST", url, body=data, headers=headers, reach=self._reach, max_bytes=_MAX_RESPONSE
        )
        return _StatusOnly(self.answer.status)


@dataclass(frozen=True, slots=True)
class _StatusOnly:
    """The response for `pywebpush`, without its text."""

    status_code: int
    reason: str = ""
    text: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict)


def _wait_ms(headers: Mapping[str, str]) -> int:
    """Return the response's Retry-After (RFC 9110 10.2.3), at most an hour; 0 if there is none."""
    retry_after = headers.get("retry-after", "").strip()
    if retry_after.isascii() and retry_after.isdecimal():
        return min(int(retry_after[:6]) * 1000, _MAX_WAIT_MS)
    try:
        dates = (retry_after, headers.get("date", ""))
        until, now = (parsedate_to_datetime(text) for text in dates)
        wait = round((until - now).total_seconds() * 1000)
    except (ValueError, TypeError):
        return 0
    return min(max(0, wait), _MAX_WAIT_MS)
