"""Who is asked in the place of a person: their deputies, and the backup that was named for them.

A deputy is asked at once, about action types that let one. A backup is asked when three quarters of
the time are over, or at once about what is critical. Both see for whom it is.
Owns: who that is, and whose yes a rule excludes. Never: how an answer counts; the votes know that.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from server.model.approvals import Approval, Approver
from server.model.approvers import NamedApprover
from server.model.store import Unit, View
from server.model.users import User
from server.protocol.policy.risks import Risk
from server.services.approvers import approvers
from server.services.policy import reevaluation
from server.services.policy.judging import Judge
from server.services.policy.schemas import Schemas
from server.services.server_policy import ServerPolicy


@dataclass(frozen=True, slots=True)
class Substitutes:
    """Asks them, each for what policy lets them say yes to today."""

    judge: Judge
    rules: ServerPolicy
    schemas: Schemas = field(default_factory=Schemas)

    def ask_at_once(self, tx: Unit, approval: Approval) -> None:
        """Ask those who stand in for the person from the beginning."""
        self.ask_deputies(tx, approval)
        if approval.risk is Risk.CRITICAL:
            self.ask_backup(tx, approval)

    def ask_deputies(self, tx: Unit, approval: Approval) -> list[Approver]:
        """Ask the deputies who decide for the person at this moment, where the types let them."""
        if approval.user_id is None or approval.kind != "action":
            return []
        types = [item["type"] for item in json.loads(approval.details)]
        return self._ask(tx, approval, deputies_of(tx, approval.user_id, types))

    def ask_backup(self, tx: Unit, approval: Approval) -> list[Approver]:
        """Ask the person's backup, if an administrator named one."""
        user = None if approval.user_id is None else tx.directory.user(approval.user_id)
        if user is None or approval.kind != "action":
            return []
        return self._ask(tx, approval, backup_of(tx, user))

    def _ask(self, tx: Unit, approval: Approval, named: Sequence[NamedApprover]) -> list[Approver]:
        """Ask them for what the person may do themselves: whose own yes does not count lends none.

        Nor does whom a rule excludes say yes in anybody's place.
        """
        if not named:
            return []
        own = approvers.find(tx, approval, approval.user_id or "")
        needs = reevaluation.current_requirements(tx, self.judge, self.schemas, approval)
        lends = own is not None and own.approves and needs is not None
        excluded = frozenset[str]() if needs is None else needs.excluded
        asked = [replace(one, approves=lends and one.user_id not in excluded) for one in named]
        return approvers.add(tx, approval, asked, self.rules)


def at_once(view: View, user: User, types: Sequence[str], risk: Risk) -> list[NamedApprover]:
    """Those who stand in for this person from the beginning of a request of this risk."""
    backup = backup_of(view, user) if risk is Risk.CRITICAL else []
    return [*deputies_of(view, user.id, types), *backup]


def beside(
    view: View, others: Iterable[NamedApprover], user: User, types: Sequence[str], risk: Risk
) -> frozenset[str]:
    """Ids of all whom a request asks at once beside the person it is for."""
    named = [*others, *at_once(view, user, types, risk)]
    return frozenset(one.user_id for one in named) - {user.id}


def deputies_of(view: View, user_id: str, types: Sequence[str]) -> list[NamedApprover]:
    """Those who decide for this person at this moment, where the types let them."""
    if not _permitted(view, types):
        return []
    return [
        NamedApprover(one.deputy_id, "deputy", stands_for=one.user_id)
        for one in view.deputies.of_user(user_id, view.now)
        if one.in_force(view.now) and _may_answer(view, one.deputy_id)
    ]


def backup_of(view: View, user: User) -> list[NamedApprover]:
    """The person's backup, if there is one who may answer."""
    if user.backup is None or not _may_answer(view, user.backup):
        return []
    return [NamedApprover(user.backup, "backup", stands_for=user.id)]


def _permitted(view: View, types: Sequence[str]) -> bool:
    """Reports whether a deputy may decide this: every type that is asked for says so."""
    rows = [view.directory.action(name) for name in types]
    return bool(rows) and all(
        row is not None and json.loads(row.document).get("deputies") is True for row in rows
    )


def _may_answer(view: View, user_id: str) -> bool:
    user = view.directory.user(user_id)
    return user is not None and user.enabled
