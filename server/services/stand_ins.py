"""Who is asked in the place of a person: their deputies, and the backup that was named for them.

A deputy is asked at once, about action types that let one. A backup is asked when three quarters of
the time are over, or at once about what is critical. Both see for whom it is.
Owns: who that is. Never: how an answer counts; `approvers.py` and the votes know that.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

from server.protocol.risks import Risk
from server.services import approvers
from server.services.approval_records import Approval, Approver
from server.services.approvers import Named
from server.services.ports import Unit, View
from server.services.records import User
from server.services.rules import Rules


def ask_at_once(tx: Unit, approval: Approval, rules: Rules) -> None:
    """Ask those who stand in for the person from the beginning."""
    ask_deputies(tx, approval, rules)
    if approval.risk is Risk.CRITICAL:
        ask_backup(tx, approval, rules)


def ask_deputies(tx: Unit, approval: Approval, rules: Rules) -> list[Approver]:
    """Ask the deputies who decide for the person at this moment, where the types let them."""
    if approval.user_id is None or approval.kind != "action":
        return []
    types = [item["type"] for item in json.loads(approval.details)]
    return _ask(tx, approval, deputies_of(tx, approval.user_id, types), rules)


def ask_backup(tx: Unit, approval: Approval, rules: Rules) -> list[Approver]:
    """Ask the person's backup, if an administrator named one."""
    user = None if approval.user_id is None else tx.directory.user(approval.user_id)
    if user is None or approval.kind != "action":
        return []
    return _ask(tx, approval, backup_of(tx, user), rules)


def deputies_of(view: View, user_id: str, types: Sequence[str]) -> list[Named]:
    """Those who decide for this person at this moment, where the types let them."""
    if not _permitted(view, types):
        return []
    return [
        Named(one.deputy_id, "deputy", stands_for=one.user_id)
        for one in view.deputies.of_user(user_id, view.now)
        if one.in_force(view.now) and _may_answer(view, one.deputy_id)
    ]


def backup_of(view: View, user: User) -> list[Named]:
    """The person's backup, if there is one who may answer."""
    if user.backup is None or not _may_answer(view, user.backup):
        return []
    return [Named(user.backup, "backup", stands_for=user.id)]


def _ask(tx: Unit, approval: Approval, named: Sequence[Named], rules: Rules) -> list[Approver]:
    """Ask them for what the person may do themselves: whose own yes does not count lends none."""
    own = approvers.find(tx, approval, approval.user_id or "")
    may = own is not None and own.approves
    return approvers.add(tx, approval, [replace(one, approves=may) for one in named], rules)


def _permitted(view: View, types: Sequence[str]) -> bool:
    """Reports whether a deputy may decide this: every type that is asked for says so."""
    rows = [view.directory.action(name) for name in types]
    return bool(rows) and all(
        row is not None and json.loads(row.document).get("deputies") is True for row in rows
    )


def _may_answer(view: View, user_id: str) -> bool:
    user = view.directory.user(user_id)
    return user is not None and user.enabled
