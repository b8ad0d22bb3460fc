"""Administration of the outbox: its state, and retries of undelivered messages.

Owns: the state of the outbox and of push services, and retries. Never: delivery; the worker
delivers a retried message like any other.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.notifications import OutboxMessage, PushService
from server.model.store import Store, View
from server.services.audit import audit
from server.services.refusals import Conflict, NotFound

MAX_DEAD: Final = 100
"""The maximum number of undelivered messages to list, newest first."""
_CALLBACKS: Final = frozenset({"ping", "push"})
"""The channels of calls to agents."""


@dataclass(frozen=True, slots=True)
class UndeliveredMessage:
    """An undelivered message, and its recipient."""

    message: OutboxMessage
    recipient: str


@dataclass(frozen=True, slots=True)
class OutboxState:
    """The state of the outbox."""

    counts: Mapping[str, int]
    """The number of messages in each state: `waiting`, `leased`, `sent`, `dead`."""
    dead: tuple[UndeliveredMessage, ...]
    push: tuple[PushService, ...]


@dataclass(frozen=True, slots=True)
class OutboxAdministration:
    """Reads the outbox and retries messages."""

    store: Store

    def state(self) -> OutboxState:
        """Return counts, undelivered messages (newest first), and the state of push services."""
        with self.store.read() as view:
            dead = tuple(
                UndeliveredMessage(message, _recipient(view, message))
                for message in view.outbox.dead(MAX_DEAD)
            )
            return OutboxState(view.outbox.counts(), dead, tuple(view.pushes.services()))

    def retry(self, message_id: int, *, by: str) -> UndeliveredMessage:
        """Retry an undelivered message now.

        Raises `NotFound`, or `Conflict` if it can no longer be sent.
        """
        with self.store.write() as tx:
            message = tx.outbox.retry(message_id)
            if message is None:
                raise NotFound("undelivered message", str(message_id))
            if message.channel in _CALLBACKS and not _has_token(tx, message):
                raise Conflict(
                    "This call cannot be sent again, because its token was deleted when the call "
                    "was abandoned. With ping delivery, the agent can poll; with push delivery, it "
                    "must send a new request."
                )
            facts = {"message": message.id, "channel": message.channel, "target": message.target}
            tx.audit.add(Entry(audit.Type.OUTBOX_RETRIED, by, facts=facts))
            return UndeliveredMessage(message, _recipient(tx, message))


def _has_token(view: View, message: OutboxMessage) -> bool:
    """Return whether the notification token for a call to an agent is still stored."""
    approval = view.approvals.get(json.loads(message.body)["approval"])
    return approval is not None and approval.notification_token is not None


def _recipient(view: View, message: OutboxMessage) -> str:
    agent = view.directory.agent(message.target)
    return message.target if agent is None else agent.name
