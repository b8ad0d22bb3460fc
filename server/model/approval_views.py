"""What a person sees of an approval, with the names that belong to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.model.approvals import Approval, Consumption, Decision, Delivery, Outcome
from server.protocol.approvals.ceremonies import Step
from server.protocol.approvals.unusual import Unusual


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer, with their name."""

    decision: Decision
    name: str


@dataclass(frozen=True, slots=True)
class ShownExecution:
    """An execution as its people see it."""

    consumption: Consumption
    outcome: Outcome | None
    """None while the resource has not said how it went."""
    granted_digest: str

    @property
    def as_granted(self) -> bool | None:
        """Whether what ran is what was granted; None where nobody said what ran."""
        ran = None if self.outcome is None else self.outcome.executed_digest
        return None if ran is None else ran == self.granted_digest


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a request is that several people are asked about."""

    need: int
    have: int
    votes: tuple[Vote, ...]
    """Every answer, void ones too, oldest first."""
    left: tuple[str, ...]
    """Names of the people and groups whose yes could still count."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An approval as a person's client gets it."""

    approval: Approval
    agent_name: str
    decision: Decision | None
    decider_name: str
    device_name: str
    other_name: str = ""
    """Whom the agent was told to ask instead."""
    execution: ShownExecution | None = None
    """What came of it at its resource."""
    nonce: str | None = None
    tally: Tally | None = None
    """How far it is, where others are asked too."""
    tries_left: Mapping[Step, int] | None = None
    """How often the person may still type what a yes takes; told to whoever may answer."""
    deliveries: tuple[Delivery, ...] | None = None
    """What this person's devices had of it, where it is shown alone."""
    held_back: bool = False
    """It came with too many others, so that the person who looks was not called for it."""
    supersedes: Approval | None = None
    """The earlier request whose place it took."""
    unusual: Unusual | None = None
    """What is unusual about it now, if it is open and shown by itself."""
