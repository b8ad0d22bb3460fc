"""How a person sees an approval: with the names that belong to it, and how far it is.

Owns: what goes with a request. Never: whose it is, or its words.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from server.protocol.ceremonies import Step
from server.protocol.unusual import Unusual
from server.services import parties, votes
from server.services.approval_records import Approval, Decision, Delivery
from server.services.outcomes import Execution, execution
from server.services.ports import View
from server.services.votes import Tally


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
    execution: Execution | None = None
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


def shown(
    view: View, approval: Approval, viewer: str | None = None, nonce: str | None = None
) -> Shown:
    """The approval with the names that belong to it, to one of those whom it asks."""
    given = [] if approval.decided_at is None else view.decisions.of_approval(approval.id)
    answer = votes.last(given)
    decider = None if answer is None else view.directory.user(answer.user_id)
    other = None if answer is None else view.directory.user(answer.ask_user or "")
    device = None if answer is None else view.devices.get(answer.device_id)
    return Shown(
        approval=approval,
        agent_name=parties.name_of(view.directory, approval.agent_id),
        decision=answer,
        decider_name="" if decider is None else decider.name,
        device_name="" if device is None else device.name,
        other_name="" if other is None else other.name,
        execution=execution(view, approval),
        nonce=nonce,
        tally=votes.tally(view, approval),
        held_back=_held_back(view, approval, viewer),
        supersedes=_earlier(view, approval),
    )


def _earlier(view: View, approval: Approval) -> Approval | None:
    return None if approval.supersedes is None else view.approvals.get(approval.supersedes)


def _held_back(view: View, approval: Approval, viewer: str | None) -> bool:
    if viewer in {None, approval.user_id} or not approval.several:
        return approval.held_back
    row = view.approvers.find(approval.id, viewer or "")
    return row is not None and row.held_back
