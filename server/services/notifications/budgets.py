"""How often a person may be called: the budgets that a flood runs into.

Owns: what is counted, all in the database, and which risks are counted together. Never: other
reasons for leaving somebody alone (`attention.py`), or hiding: what does not call is listed.
"""

import json
from typing import Final, Literal

from server.model.approvals import Approval
from server.model.notifications import Lane, Spent
from server.model.store import Unit
from server.protocol.policy.risks import Risk
from server.services.server_policy import ServerPolicy

Over = Literal["reported", "held_back", "digest"]
_LANES: Final[dict[Risk, Lane]] = {Risk.LOW: "low", Risk.MEDIUM: "medium"}


def exceeded(tx: Unit, approval: Approval, user_id: str, rules: ServerPolicy) -> Over | None:
    """Why this person is not called for this request; None when they may be.

    Risks are counted in lanes that take nothing from each other.  1. Nobody is called by whom they
    reported.  2. Low risk of agents calls a person for all that waits together, now and then.
    3. Others call until a budget is used up.
    """
    tx.queue(f"attention {user_id}")
    lane = _lane(approval)
    spent = tx.notifications.spent(user_id, approval.agent_id, _types(approval), lane)
    if spent.reported:
        return "reported"
    if lane == "low":
        return "digest" if spent.hour >= rules.notify_low_per_hour else None
    over = _agent_is_over(spent, rules) if lane == "urgent" else _is_over(spent, rules)
    return "held_back" if over else None


def count(tx: Unit, approval: Approval, user_id: str) -> None:
    """Count that this person is called now."""
    tx.notifications.add(user_id, approval.agent_id, _types(approval), _lane(approval))


def _agent_is_over(spent: Spent, rules: ServerPolicy) -> bool:
    """High and critical: every agent has slots of its own, which no flood of another can take."""
    return (
        spent.agent_minute >= rules.notify_per_minute or spent.agent_hour >= rules.notify_per_agent
    )


def _is_over(spent: Spent, rules: ServerPolicy) -> bool:
    return (
        spent.minute >= rules.notify_per_minute
        or spent.hour >= rules.notify_per_hour
        or spent.agent_hour >= rules.notify_per_agent
        or spent.type_hour >= rules.notify_per_type
    )


def _lane(approval: Approval) -> Lane:
    """What a person began at a page or a device calls them, however low its risk is."""
    lane = _LANES.get(approval.risk, "urgent")
    return "medium" if lane == "low" and approval.kind != "action" else lane


def _types(approval: Approval) -> str:
    """The types of a request in one text; scopes alone are one type."""
    return " ".join(sorted({item["type"] for item in json.loads(approval.details)}))
