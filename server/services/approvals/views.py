"""An approval as an approver sees it: with names, tally, execution and superseded request.

Owns: collecting this data. Never: checking who may see the request, or writing its texts.
"""

from server.model import display_names
from server.model.approval_views import ApproverView
from server.model.approvals import Approval
from server.model.store import View
from server.services.approvals import votes
from server.services.approvals.execution_outcomes import execution


def approver_view(
    view: View, approval: Approval, viewer: str | None = None, nonce: str | None = None
) -> ApproverView:
    """Return the approval with the names of its agent, decider and device, for an approver."""
    answers = [] if approval.decided_at is None else view.decisions.of_approval(approval.id)
    answer = votes.deciding_answer(approval, answers)
    decider = None if answer is None else view.directory.user(answer.user_id)
    ask_instead = None if answer is None else view.directory.user(answer.ask_user or "")
    device = None if answer is None else view.devices.get(answer.device_id)
    return ApproverView(
        approval=approval,
        agent_name=display_names.name_of(view.directory, approval.agent_id),
        decision=answer,
        decider_name="" if decider is None else decider.name,
        device_name="" if device is None else device.name,
        other_name="" if ask_instead is None else ask_instead.name,
        execution=execution(view, approval),
        nonce=nonce,
        tally=votes.tally(view, approval),
        held_back=_held_back(view, approval, viewer),
        supersedes=view.approvals.get(approval.supersedes) if approval.supersedes else None,
    )


def _held_back(view: View, approval: Approval, viewer: str | None) -> bool:
    if viewer in {None, approval.user_id} or not approval.multi_approver:
        return approval.held_back
    row = view.approvers.find(approval.id, viewer or "")
    return row is not None and row.held_back
