"""The JSON of the outbox, push services and background loops."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel

from server.http.wire import RecordResponse, Time
from server.protocol.times import rfc3339
from server.services.notifications.outbox import OutboxState
from server.services.notifications.outbox import UndeliveredMessage as Undelivered


class OutboxCounts(BaseModel):
    """The number of messages in each state."""

    waiting: int
    leased: int
    sent: int
    dead: int


class UndeliveredMessage(RecordResponse):
    """A message that was not delivered."""

    id: str
    channel: str
    recipient: str
    state: Literal["waiting", "dead"]
    attempts: int
    last_error: str | None
    created_at: Time


class PushServiceState(RecordResponse):
    """A push service. `problem` says why the service refuses messages."""

    service: str
    browsers: int
    delivered_at: Time | None
    problem: str | None


class LoopState(BaseModel):
    """A background loop of this process, and the time of its last run."""

    name: str
    last_run: str


class OutboxStatus(BaseModel):
    """The number of messages, the undelivered messages (newest first), push services and loops."""

    counts: OutboxCounts
    items: list[UndeliveredMessage]
    push: list[PushServiceState]
    loops: list[LoopState]


def undelivered(undelivered_message: Undelivered) -> UndeliveredMessage:
    """A message as JSON."""
    message = undelivered_message.message
    return UndeliveredMessage.of(
        message,
        id=str(message.id),
        recipient=undelivered_message.recipient,
        state="dead" if message.state == "dead" else "waiting",
    )


def answer(state: OutboxState, loops: Iterable[tuple[str, int]]) -> OutboxStatus:
    """The state of the outbox as JSON. `loops` are names and the times of their last runs."""
    return OutboxStatus(
        counts=OutboxCounts(
            **{name: state.counts.get(name, 0) for name in OutboxCounts.model_fields}
        ),
        items=[undelivered(message) for message in state.dead],
        push=[PushServiceState.of(service, service=service.origin) for service in state.push],
        loops=[LoopState(name=name, last_run=rfc3339(at)) for name, at in loops],
    )
