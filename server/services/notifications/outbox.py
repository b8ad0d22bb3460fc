"""What leaves the installation, to whoever runs it: what waits, what was given up, and once more.

Owns: looking at the outbox and at push services, and trying again. Never: sending; a retried
message leaves as any other does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.notifications import OutboxMessage, PushService
from server.model.store import Store, View
from server.services.audit import audit
from server.services.refusals import NotFound

MOST_DEAD: Final = 100
"""The newest tell what is wrong."""


@dataclass(frozen=True, slots=True)
class GivenUpMessage:
    """A message that was given up, and whom it was for."""

    message: OutboxMessage
    whom: str


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How it stands."""

    counts: Mapping[str, int]
    """`waiting`, `leased` (on its way), `sent`, `dead` → how many."""
    dead: tuple[GivenUpMessage, ...]
    push: tuple[PushService, ...]


@dataclass(frozen=True, slots=True)
class OutboxAdministration:
    """Administration of what leaves."""

    store: Store

    def state(self) -> OutboxState:
        """What waits, what was given up (newest first), and what push services say."""
        with self.store.read() as view:
            dead = tuple(
                GivenUpMessage(one, _whom(view, one)) for one in view.outbox.dead(MOST_DEAD)
            )
            return OutboxState(view.outbox.counts(), dead, tuple(view.pushes.services()))

    def retry(self, message_id: int, *, by: str) -> GivenUpMessage:
        """Let a message that was given up leave after all, now. Raises `NotFound`."""
        with self.store.write() as tx:
            message = tx.outbox.again(message_id)
            if message is None:
                raise NotFound(
                    f"No message {message_id} was given up. See those that were: sayso outbox list"
                )
            facts = {"message": message.id, "channel": message.channel, "target": message.target}
            audit.record(tx, Entry(audit.Type.OUTBOX_RETRIED, by, facts=facts))
            return GivenUpMessage(message, _whom(tx, message))


def _whom(view: View, message: OutboxMessage) -> str:
    agent = view.directory.agent(message.target)
    return message.target if agent is None else agent.name
