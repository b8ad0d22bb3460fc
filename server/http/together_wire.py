"""Several people's answers to one request, as JSON."""

from typing import Literal

from pydantic import BaseModel

from server.services.displays import rfc3339
from server.services.votes import Tally, Vote


class Voter(BaseModel):
    """A person who answered."""

    id: str
    name: str


class Answered(BaseModel):
    """One person's answer beside others. Read the facts before what they say."""

    by: Voter
    decision: Literal["approve", "deny"]
    at: str
    counts: bool
    reason: str | None


class Together(BaseModel):
    """How many people must say yes, who has, and whose yes could still count."""

    need: int
    have: int
    left: list[str]
    answers: list[Answered]


def together(tally: Tally | None) -> Together | None:
    """How far a request is that several people are asked about."""
    if tally is None:
        return None
    answers = [_answered(vote) for vote in tally.votes]
    return Together(need=tally.need, have=tally.have, left=list(tally.left), answers=answers)


def _answered(vote: Vote) -> Answered:
    said = vote.decision
    return Answered(
        by=Voter(id=said.user_id, name=vote.name),
        decision=said.decision,
        at=rfc3339(said.at),
        counts=said.voided_at is None,
        reason=said.reason,
    )
