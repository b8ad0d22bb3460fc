"""The answer that ended a request, as JSON for those whom it asked."""

from typing import Literal

from pydantic import BaseModel

from server.services import answers
from server.services.approval_views import Shown
from server.services.displays import rfc3339


class Called(BaseModel):
    """Somebody or something by id and name."""

    id: str
    name: str


class Decided(BaseModel):
    """Who answered, with what, from where, and what they said with it."""

    decision: Literal["approve", "deny"]
    by: Called
    device: Called
    at: str
    channel: str
    ceremony: str
    self_approved: bool
    """One yes was enough for what is critical, and it is that of the person it is for."""
    reason: str | None
    code: str | None
    note: str | None
    retry_at: str | None
    ask: Called | None
    """Whom the agent was told to ask instead."""
    private_note: str | None


def decided(shown: Shown) -> Decided | None:
    """The answer; None where nobody has given one."""
    answer = shown.decision
    if answer is None:
        return None
    return Decided(
        decision=answer.decision,
        by=Called(id=answer.user_id, name=shown.decider_name),
        device=Called(id=answer.device_id, name=shown.device_name),
        at=rfc3339(answer.at),
        channel=answer.channel,
        ceremony=answer.ceremony,
        self_approved=answers.self_approved(shown.approval, answer),
        reason=answer.reason,
        code=answer.code,
        note=answer.note,
        retry_at=None if answer.retry_at is None else rfc3339(answer.retry_at),
        ask=None if answer.ask_user is None else Called(id=answer.ask_user, name=shown.other_name),
        private_note=answer.private_note,
    )
