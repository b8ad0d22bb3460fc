"""Decisions as JSON: what a device sends, and what others see."""

from typing import Literal

from pydantic import Field

from server.http.wire import (
    Moment,
    RecordResponse,
    Reference,
    StrictBody,
    Time,
    milliseconds,
)
from server.model.approval_views import ApproverView, Tally
from server.services.approvals import answer_entries
from server.services.approvals.ceremonies import CeremonyEntries
from server.services.approvals.submitted_decisions import SubmittedDecision


class SignedDecision(StrictBody):
    """A signed decision (compact JWS), the notes, and what the person typed to approve."""

    decision: str = Field(max_length=16_384)
    note: str | None = Field(default=None, max_length=1_000)
    retry_at: Moment | None = None
    """When the agent can ask again. Only some codes allow it."""
    ask: str | None = Field(default=None, min_length=1, max_length=254)
    """The person to ask instead, by name, email address or ID. Requires the code `ask_other`."""
    private_note: str | None = Field(default=None, max_length=1_000)
    """A note for the audit log. The agent does not see it."""
    granted: str | None = Field(default=None, max_length=65_536)
    fact: str | None = Field(default=None, min_length=1, max_length=8_192)
    match: str | None = Field(default=None, min_length=1, max_length=64)
    reason: str | None = Field(default=None, min_length=1, max_length=1_000)

    def submitted(self) -> SubmittedDecision:
        """Convert to the services' type."""
        return SubmittedDecision(
            self.decision,
            self.note,
            self.granted,
            CeremonyEntries(self.fact, self.match, self.reason),
            None if self.retry_at is None else milliseconds(self.retry_at),
            self.ask,
            self.private_note,
        )


class DecisionDetails(RecordResponse):
    """Who decided, what they decided, on which device, and the note to the agent."""

    decision: Literal["approve", "deny"]
    by: Reference
    device: Reference
    at: Time
    channel: str
    ceremony: str
    self_approved: bool
    """Whether the user of a critical request was its only approver."""
    reason: str | None
    code: str | None
    note: str | None
    retry_at: Time | None
    ask: Reference | None
    """The person to ask instead."""
    private_note: str | None


def decided(approver_view: ApproverView) -> DecisionDetails | None:
    """The decision as JSON; None if nobody has decided."""
    answer = approver_view.decision
    if answer is None:
        return None
    return DecisionDetails.of(
        answer,
        by=Reference(id=answer.user_id, name=approver_view.decider_name),
        device=Reference(id=answer.device_id, name=approver_view.device_name),
        self_approved=answer_entries.self_approved(approver_view.approval, answer),
        ask=None
        if answer.ask_user is None
        else Reference(id=answer.ask_user, name=approver_view.other_name),
    )


class ApproverVote(RecordResponse):
    """One person's answer. Show the facts of the request before the answers of others."""

    by: Reference
    decision: Literal["approve", "deny", "withdraw"]
    at: Time
    counts: bool
    reason: str | None


class VoteTally(RecordResponse):
    """How many people must approve, how many have approved, and who still can."""

    need: int
    have: int
    left: list[str]
    answers: list[ApproverVote]


def vote_tally(tally: Tally | None) -> VoteTally | None:
    """The tally of a request with several approvers, as JSON."""
    if tally is None:
        return None
    answers = [
        ApproverVote.of(
            vote.decision,
            by=Reference(id=vote.decision.user_id, name=vote.name),
            counts=vote.counts,
        )
        for vote in tally.votes
    ]
    return VoteTally.of(tally, answers=answers)
