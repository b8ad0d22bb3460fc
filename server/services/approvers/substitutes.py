"""A user's substitutes: their deputies, and the backup that an administrator set.

Deputies are asked immediately, if the action types allow deputies. The backup is asked after three
quarters of the lifetime, or immediately at critical risk. Both see whom they decide for.
Owns: finding them, and whether their approval can count. Never: counting votes (`votes.py`).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from server.model.approvals import Approval, Approver
from server.model.approvers import NamedApprover
from server.model.store import Unit, View
from server.model.users import User
from server.protocol.policy.risks import Risk
from server.services.approvers import approvers
from server.services.policy.evaluation import Evaluator
from server.services.server_policy import ServerPolicy
from server.services.users import user_checks


@dataclass(frozen=True, slots=True)
class Substitutes:
    """Adds substitutes to requests; policy says whether their approval counts."""

    evaluator: Evaluator
    server_policy: ServerPolicy

    def add_immediate(self, tx: Unit, approval: Approval) -> Approval:
        """Add the deputies to a new request and, at critical risk, the backup.

        Returns the changed request. `notices.requested` then notifies them and the user, all in
        one order.
        """
        user = tx.directory.user(approval.user_id or "")
        if user is None or approval.kind != "action":
            return approval
        named = immediate_substitutes(tx, user, _types(approval), approval.risk)
        if not named:
            return approval
        rows = approvers.store_approvers(tx, approval, self._with_rights(tx, approval, named))
        return replace(approval, multi_approver=approval.multi_approver or bool(rows))

    def ask_deputies(self, tx: Unit, approval: Approval) -> list[Approver]:
        """Ask the user's current deputies, if the action types allow it."""
        if approval.user_id is None or approval.kind != "action":
            return []
        return self._ask(tx, approval, deputies_of(tx, approval.user_id, _types(approval)))

    def ask_backup(self, tx: Unit, approval: Approval) -> list[Approver]:
        """Ask the user's backup, if there is one."""
        user = None if approval.user_id is None else tx.directory.user(approval.user_id)
        if user is None or approval.kind != "action":
            return []
        return self._ask(tx, approval, backup_of(tx, user))

    def _ask(self, tx: Unit, approval: Approval, named: Sequence[NamedApprover]) -> list[Approver]:
        substitutes = self._with_rights(tx, approval, named)
        return approvers.add(tx, approval, substitutes, self.server_policy)

    def _with_rights(
        self, tx: Unit, approval: Approval, named: Sequence[NamedApprover]
    ) -> list[NamedApprover]:
        """Return the substitutes, with whether their approval counts.

        It counts if the user's would, and no rule excludes them.
        """
        if not named:
            return []
        own_row = approvers.find(tx, approval, approval.user_id or "")
        needs = self.evaluator.current_requirements(tx, approval)
        user_approves = own_row is not None and own_row.approves and needs is not None
        excluded = frozenset[str]() if needs is None else needs.excluded
        return [
            replace(substitute, approves=user_approves and substitute.user_id not in excluded)
            for substitute in named
        ]


def _types(approval: Approval) -> list[str]:
    return [item["type"] for item in json.loads(approval.details)]


def immediate_substitutes(
    view: View, user: User, types: Sequence[str], risk: Risk
) -> list[NamedApprover]:
    """Return the substitutes who are asked immediately about a new request of this risk."""
    backup = backup_of(view, user) if risk is Risk.CRITICAL else []
    return [*deputies_of(view, user.id, types), *backup]


def additional_approver_ids(
    view: View, others: Iterable[NamedApprover], user: User, types: Sequence[str], risk: Risk
) -> frozenset[str]:
    """Return the IDs of everyone who is asked about a new request, except its own user."""
    named_approvers = [*others, *immediate_substitutes(view, user, types, risk)]
    return frozenset(approver.user_id for approver in named_approvers) - {user.id}


def deputies_of(view: View, user_id: str, types: Sequence[str]) -> list[NamedApprover]:
    """Return the user's current deputies, if the action types allow deputies."""
    if not _types_allow_deputies(view, types):
        return []
    return [
        NamedApprover(deputy.deputy_id, "deputy", stands_for=deputy.user_id)
        for deputy in view.deputies.of_user(user_id, view.now)
        if deputy.in_force(view.now) and user_checks.is_enabled(view, deputy.deputy_id)
    ]


def backup_of(view: View, user: User) -> list[NamedApprover]:
    """Return the user's backup, if there is one and it is enabled."""
    if user.backup is None or not user_checks.is_enabled(view, user.backup):
        return []
    return [NamedApprover(user.backup, "backup", stands_for=user.id)]


def _types_allow_deputies(view: View, types: Sequence[str]) -> bool:
    """Return whether every action type allows deputies."""
    actions = [view.directory.action(name) for name in types]
    return bool(actions) and all(
        action is not None and json.loads(action.document).get("deputies") is True
        for action in actions
    )
