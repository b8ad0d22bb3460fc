"""What leaves the installation, and what works behind it, as models."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel

from server.http.admin_documents import moment
from server.services.displays import rfc3339
from server.services.outgoing import GivenUp, State


class OutboxCounts(BaseModel):
    """How many messages are in which state."""

    waiting: int
    leased: int
    sent: int
    dead: int


class GivenUpMessage(BaseModel):
    """A message that was given up."""

    id: str
    channel: str
    whom: str
    state: Literal["waiting", "dead"]
    attempts: int
    last_error: str | None
    created_at: str


class PushServiceState(BaseModel):
    """A push service; `problem` is why it does not take what some browser is sent."""

    service: str
    browsers: int
    delivered_at: str | None
    problem: str | None


class LoopState(BaseModel):
    """A background loop of the process that answers, and when it last ended a round."""

    name: str
    last_run: str


class OutgoingState(BaseModel):
    """What waits, what was given up (newest first), push services and loops."""

    counts: OutboxCounts
    items: list[GivenUpMessage]
    push: list[PushServiceState]
    loops: list[LoopState]


def given_up(one: GivenUp) -> GivenUpMessage:
    """A message as JSON."""
    message = one.message
    return GivenUpMessage(
        id=str(message.id),
        channel=message.channel,
        whom=one.whom,
        state="dead" if message.state == "dead" else "waiting",
        attempts=message.attempts,
        last_error=message.last_error,
        created_at=rfc3339(message.created_at),
    )


def answer(state: State, loops: Iterable[tuple[str, int]]) -> OutgoingState:
    """How it stands, as JSON; `loops` with the moment of their last round."""
    return OutgoingState(
        counts=OutboxCounts(
            **{name: state.counts.get(name, 0) for name in OutboxCounts.model_fields}
        ),
        items=[given_up(one) for one in state.dead],
        push=[
            PushServiceState(
                service=one.origin,
                browsers=one.browsers,
                delivered_at=moment(one.delivered_at),
                problem=one.problem,
            )
            for one in state.push
        ],
        loops=[LoopState(name=name, last_run=rfc3339(at)) for name, at in loops],
    )
