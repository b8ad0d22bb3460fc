"""The inbox: a person's pending requests.

Owns: how many requests it lists, and what a card shows. Never: the full text of a request.
"""

import json
from typing import Final

from flask import request

from server.model.approval_views import ApproverView
from server.services.approvals.narrowing import headline
from server.services.policy.displays import rfc3339
from server.web.page import Facts
from server.web.visit import Visit

_FIRST: Final = 50
_ON_ONE_PAGE: Final = 500


def load(visit: Visit) -> Facts:
    """GET /: the first requests, or with `all=true` as many as one page can list."""
    most = _ON_ONE_PAGE if request.args.get("all") == "true" else _FIRST
    site, person = visit.site, visit.person
    decisions = site.approvals.decisions
    found = decisions.waiting(person, most, None)
    cards = [_card(item) for item in found.items]
    return {
        "waiting": [one for one in cards if not one["held"]],
        "held": [one for one in cards if one["held"]],
        "count": len(cards) if found.next is None else decisions.waiting_count(person),
        "on_one_page": _ON_ONE_PAGE,
        "lost": site.notifications.push_losses.of_person(person),
    }


def _card(item: ApproverView) -> dict[str, object]:
    approval = item.approval
    agent = json.loads(approval.display)["agent"]
    return {
        "id": approval.id,
        "risk": str(approval.risk),
        "headline": headline(approval),
        "agent": " through ".join([*reversed(agent.get("through", [])), agent["name"]]),
        "agent_id": approval.agent_id,
        "until": approval.expires_at,
        "expires_at": rfc3339(approval.expires_at),
        "held": approval.held_back,
    }
