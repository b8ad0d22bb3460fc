"""One more person whom an administrator asks about a request that waits.

They answer in the place of the person it is for, as a backup would. Where rules name whose yes
counts, only one of those can be asked, and whom a rule excludes stays excluded.
Owns: who may be asked so. Never: how their answer counts; the votes and policy know that.
"""

from dataclasses import dataclass, field

from server.model.approvals import Approval
from server.model.approvers import NamedApprover
from server.model.store import Store, Unit
from server.model.users import User
from server.protocol.approvals.states import State, overdue
from server.protocol.policy.questions import Requirements
from server.services.approvals import oversight
from server.services.approvals.oversight import Seen
from server.services.approvers import approvers
from server.services.audit import audit
from server.services.policy import today
from server.services.policy.judging import Judge
from server.services.policy.schemas import Schemas
from server.services.refusals import Conflict, Invalid
from server.services.server_policy import ServerPolicy
from server.services.users import users


@dataclass(frozen=True, slots=True)
class BackupRequests:
    """Asks one more person."""

    store: Store
    judge: Judge
    rules: ServerPolicy
    schemas: Schemas = field(default_factory=Schemas)

    def ask(self, approval_id: str, called: str, *, by: str) -> Seen:
        """Put a waiting request to one more person. Raises `NotFound`, `Conflict` or `Invalid`.

        1. It waits, and is a request of an agent to somebody.  2. They are enabled, and it is not
        theirs already.  3. By the rules of now their yes would count.
        """
        with self.store.write() as tx:
            approval = oversight.find(tx, approval_id)
            _check_waits(tx, approval)
            user = users.find(tx, called)
            if not user.enabled:
                raise Invalid(f"{user.name} is disabled and could not answer. Name somebody else.")
            named = _named(tx, approval, user, self._needs(tx, approval))
            if user.id == approval.user_id or not approvers.add(tx, approval, [named], self.rules):
                raise Conflict(f"{user.name} is asked about it already.")
            _record(tx, approval, user, by)
            return oversight.seen(tx, oversight.find(tx, approval_id))

    def _needs(self, tx: Unit, approval: Approval) -> Requirements:
        """What its yes takes today."""
        needs = today.needs_today(tx, self.judge, self.schemas, approval)
        if needs is None:
            raise Conflict("Nobody can approve this any more: what it stands on has changed.")
        return needs


def _check_waits(tx: Unit, approval: Approval) -> None:
    if approval.state is not State.PENDING or overdue(approval.state, approval.expires_at, tx.now):
        raise Conflict("This request does not wait for an answer any more.")
    if approval.kind != "action" or approval.user_id is None:
        raise Conflict("Only a request of an agent to somebody can be put to one more person.")


def _named(tx: Unit, approval: Approval, user: User, needs: Requirements) -> NamedApprover:
    """As whom they are asked. Raises `Conflict` for somebody whose yes would not count."""
    if user.id in needs.excluded:
        raise Conflict(f"A rule of policy excludes {user.name} from approving this.")
    if needs.who is None:
        own = approvers.find(tx, approval, approval.user_id or "")
        lends = own is not None and own.approves
        return NamedApprover(user.id, "backup", stands_for=approval.user_id if lends else None)
    if user.id not in needs.who:
        raise Conflict(
            f"Rules of policy name who may approve this, and {user.name} is not among them."
        )
    members = tx.directory.members()
    group = next((one for one in sorted(needs.groups) if user.id in members.get(one, ())), None)
    return NamedApprover(user.id, "asked" if group is None else "group", group_id=group)


def _record(tx: Unit, approval: Approval, user: User, by: str) -> None:
    audit.record(
        tx,
        audit.approval_entry(
            approval,
            audit.Type.APPROVAL_ESCALATED,
            actor=by,
            decision="approver_added",
            facts={"to": user.id},
        ),
    )
