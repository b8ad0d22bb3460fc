"""Who is asked about an approval: the one place that knows whose it is.

The person it is for is always asked. Others are added: by the request itself, as members of a
group that policy names, or later, as a backup or a deputy.
Owns: whose an approval is. Never: how many must say yes (`votes.py`), or who may be added.
"""

from collections.abc import Iterable

from server.model.approvals import Approval, Approver, own_approver
from server.model.approvers import NamedApprover
from server.model.store import Unit, View
from server.protocol import errors
from server.services.notifications import attention
from server.services.server_policy import ServerPolicy


def find(view: View, approval: Approval, user_id: str) -> Approver | None:
    """Why this approval is this person's; None when it is not."""
    if approval.several and (row := view.approvers.find(approval.id, user_id)) is not None:
        return row if _stands(view, row) else None
    return own_approver(approval, user_id) if approval.user_id == user_id else None


def owned(view: View, approval_id: str, user_id: str) -> Approval:
    """The request, if it is this person's. Raises errors.Problem 404."""
    approval = view.approvals.get(approval_id)
    if approval is None or find(view, approval, user_id) is None:
        raise errors.Problem(404, "not_found", "There is no such request for you.")
    return approval


def check_may_approve(view: View, approval: Approval, user_id: str) -> None:
    """Raise errors.Problem 403 for somebody whose yes would not count."""
    asked = find(view, approval, user_id)
    if asked is None or not asked.approves:
        raise errors.Problem(
            403,
            "not_eligible",
            "Policy does not let you approve this one. You may deny or report it.",
        )


def write(tx: Unit, approval: Approval, named: Iterable[NamedApprover]) -> list[Approver]:
    """Note that these are asked too, as long as it waits; returns those who were not before."""
    rows = [_row(tx, approval, one) for one in named]
    return [row for row in rows if tx.approvers.add(row)]


def add(
    tx: Unit, approval: Approval, named: Iterable[NamedApprover], rules: ServerPolicy
) -> list[Approver]:
    """Ask these too, as long as it waits; returns those who were not asked before.

    Their screens learn of it as of a request that was just made.
    """
    added = write(tx, approval, named)
    for row in added:
        if row.user_id != approval.user_id:
            attention.notify(tx, approval, row.user_id, "approval.requested", rules)
    return added


def _row(tx: Unit, approval: Approval, named: NamedApprover) -> Approver:
    return Approver(
        approval_id=approval.id,
        user_id=named.user_id,
        why=named.why,
        added_at=tx.now,
        ends_at=approval.expires_at,
        risk=approval.risk,
        approves=named.approves,
        stands_for=named.stands_for,
        group_id=named.group_id,
    )


def _stands(view: View, row: Approver) -> bool:
    """A deputy is one between two dates; what they answered stays theirs to see."""
    if row.why != "deputy" or row.over_at is not None or row.stands_for is None:
        return True
    return view.deputies.deciding(row.stands_for, row.user_id, view.now) is not None
