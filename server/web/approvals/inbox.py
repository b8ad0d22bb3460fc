"""The inbox: the requests that wait for a person, and those that they approved and others have not.

Owns: how many requests it lists, and what a card shows. Never: the full text of a request.
"""

import json
import re
from typing import Final

from flask import request

from server.model.approval_views import ApproverView
from server.model.granted import headline
from server.services.policy.displays import rfc3339
from server.web.approvals import first_steps
from server.web.page import Facts
from server.web.visit import Visit

_FIRST: Final = 50
_ON_ONE_PAGE: Final = 500
_NUMBER: Final = re.compile(r"[0-9]{1,3}")


def load(visit: Visit) -> Facts:
    """GET /: the first requests, the `first` N, or with `all=true` as many as a page can list."""
    site, person = visit.site, visit.person
    found = site.approvals.inbox.of(person, _most())
    cards = [_card(item) for item in found.waiting]
    return {
        "waiting": [one for one in cards if not one["held"]],
        "held": [one for one in cards if one["held"]],
        "voted": [_card(item) for item in found.voted],
        "count": found.waiting_count,
        "cursor": found.feed_cursor,
        "on_one_page": _ON_ONE_PAGE,
        "lost": site.notifications.push_losses.of_person(person),
        "steps": first_steps.load(visit),
    }


def _most() -> int:
    """How many requests to list."""
    if request.args.get("all") == "true":
        return _ON_ONE_PAGE
    first = request.args.get("first", "")
    return min(max(int(first), _FIRST), _ON_ONE_PAGE) if _NUMBER.fullmatch(first) else _FIRST


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
        "held": item.held_back,
        "tally": item.tally,
    }
