"""The inbox: what waits for a person's answer.

Owns: which requests there is room for, and what a card says. Never: one request's whole text.
"""

import json
from typing import Final

from flask import request

from server.model.approval_views import Shown
from server.services.approvals.narrowing import headline
from server.services.policy.displays import rfc3339
from server.web.page import Facts
from server.web.visit import Visit

_MOST: Final = 50
_ROOM: Final = 500


def load(visit: Visit) -> Facts:
    """GET /, and with `all=true` what a page has room for."""
    most = _ROOM if request.args.get("all") == "true" else _MOST
    site, person = visit.site, visit.person
    decisions = site.approvals.decisions
    found = decisions.waiting(person, most, None)
    cards = [_card(item) for item in found.items]
    return {
        "waiting": [one for one in cards if not one["held"]],
        "held": [one for one in cards if one["held"]],
        "count": len(cards) if found.next is None else decisions.waiting_count(person),
        "room": _ROOM,
        "lost": site.notifications.push_losses.of_person(person),
    }


def _card(item: Shown) -> dict[str, object]:
    approval = item.approval
    display = json.loads(approval.display)
    return {
        "id": approval.id,
        "risk": str(approval.risk),
        "headline": headline(approval),
        "agent": display["agent"]["name"],
        "agent_id": approval.agent_id,
        "until": approval.expires_at,
        "expires_at": rfc3339(approval.expires_at),
        "held": approval.held_back,
    }
