"""An administrator adds an approver to a pending request.

The new approver decides for the user the request is for, as a backup does. If rules name eligible
approvers, only those can be added. Users that a rule excludes cannot be added.
Owns: checking who may be added. Never: counting their vote (`votes.py` and policy).
"""

from dataclasses import dataclass

from server.model.approvals import Approval
from server.model.approvers import NamedApprover
from server.model.store import Store, Unit
from server.model.users import User
from server.protocol.policy.questions import Requirements
from server.services.approvals import oversight
from server.services.approvals.oversight import NamedApproval
from server.services.approvers import approvers
from server.services.approvers.answer_sources import approver_by_rule
from server.services.audit import audit
from server.services.policy.evaluation import Evaluator
from server.services.refusals import Conflict, Invalid
from server.services.server_policy import ServerPolicy
from server.services.users import user_checks


@dataclass(frozen=True, slots=True)
class BackupRequests:
    """Adds approvers to pending requests."""

    store: Store
    evaluator: Evaluator
    server_policy: ServerPolicy

    def ask(self, approval_id: str, name_or_id: str, *, by: str) -> NamedApproval:
        """Ask one more person about a pending request. Raises `NotFound`, `Conflict` or `Invalid`.

        Checks, in order, that: 1. the request is pending, comes from an agent and has a user; 2.
        the person is enabled and not asked yet; 3. under current rules, their approval would count.
        """
        with self.store.write() as tx:
            approval = oversight.find(tx, approval_id)
            _check_pending(tx, approval)
            user = user_checks.find(tx, name_or_id)
            if not user.enabled:
                raise Invalid(f"{user.name} is disabled and cannot answer. Name someone else.")
            needs = self.evaluator.current_requirements(tx, approval)
            if needs is None:
                raise Conflict(
                    "Nobody can approve this request: policy or its resource has changed."
                )
            approver = _new_approver(tx, approval, user, needs)
            if user.id == approval.user_id or not approvers.add(
                tx, approval, [approver], self.server_policy
            ):
                raise Conflict(f"{user.name} is already an approver of this request.")
            _record(tx, approval, user, by)
            return oversight.with_names(tx, oversight.find(tx, approval_id))


def _check_pending(tx: Unit, approval: Approval) -> None:
    if not approval.is_pending(tx.now):
        raise Conflict("This request is no longer pending.")
    if approval.kind != "action" or approval.user_id is None:
        raise Conflict("You can add an approver only to an agent's request to a user.")


def _new_approver(tx: Unit, approval: Approval, user: User, needs: Requirements) -> NamedApprover:
    """Return the approver to add. Raises `Conflict` for someone whose approval would not count."""
    if user.id in needs.excluded:
        raise Conflict(f"A policy rule excludes {user.name} from approving this request.")
    if needs.approvers is None:
        own_row = approvers.find(tx, approval, approval.user_id or "")
        if own_row is None or not own_row.approves:
            return NamedApprover(user.id, "asked")
        return NamedApprover(user.id, "backup", stands_for=approval.user_id)
    if user.id not in needs.approvers:
        raise Conflict(
            f"Policy names the approvers of this request, and {user.name} is not one of them."
        )
    return approver_by_rule(tx, needs, user.id)


def _record(tx: Unit, approval: Approval, user: User, by: str) -> None:
    tx.audit.add(
        audit.approval_entry(
            approval,
            audit.Type.APPROVAL_ESCALATED,
            actor=by,
            decision="approver_added",
            facts={"to": user.id},
        ),
    )
