"""Approvals as approvers see them, with names."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.model.approvals import Approval, Consumption, Decision, Delivery, Outcome
from server.protocol.approvals.ceremonies import Step
from server.protocol.approvals.unusual import Unusual


@dataclass(frozen=True, slots=True)
class Vote:
    """A person's answer, with their name."""

    decision: Decision
    name: str
    counts: bool


@dataclass(frozen=True, slots=True)
class ShownExecution:
    """An execution as approvers see it."""

    consumption: Consumption
    outcome: Outcome | None
    """None until the resource reports it."""
    granted_digest: str

    @property
    def as_granted(self) -> bool | None:
        """Whether the executed action is the granted one; None if the resource did not say."""
        ran = None if self.outcome is None else self.outcome.executed_digest
        return None if ran is None else ran == self.granted_digest


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes on a request with several approvers."""

    need: int
    have: int
    votes: tuple[Vote, ...]
    """All answers, including void ones, oldest first."""
    left: tuple[str, ...]
    """Names of the people and groups whose approval could still count, while it is pending."""


@dataclass(frozen=True, slots=True)
class ApproverView:
    """An approval as an approver's device receives it."""

    approval: Approval
    agent_name: str
    decision: Decision | None
    decider_name: str
    device_name: str
    other_name: str = ""
    """The name of the person to ask instead."""
    execution: ShownExecution | None = None
    """Its execution at the resource."""
    nonce: str | None = None
    tally: Tally | None = None
    """The votes, if other people are asked too."""
    tries_left: Mapping[Step, int] | None = None
    """Attempts left for each step with an entry that the server checks (`match`, `type_back`)."""
    deliveries: tuple[Delivery, ...] | None = None
    """The deliveries to this person's devices; only for a single request."""
    held_back: bool = False
    """Too many requests arrived at once, so the viewer was not notified of this one."""
    supersedes: Approval | None = None
    """The earlier request that it replaced."""
    unusual: Unusual | None = None
    """The current signals; only for a single pending request."""
