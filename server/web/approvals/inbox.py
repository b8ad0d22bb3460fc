"""The inbox: requests waiting for the person, and those that still need other approvers.

Owns: how many requests it lists, and what a card shows. Never: the full text of a request.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import request

from server.model.approval_views import ApproverView
from server.model.granted import headline
from server.protocol.times import rfc3339
from server.web.page import Facts
from server.web.visit import Visit

_AGENTS: Final = "GET /api/agents"
_REQUESTS: Final = "GET /api/admin/approvals"


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first steps in a new installation."""

    label: str
    path: str
    """The page to do it on."""
    is_done: Callable[[Visit], bool]
    route: str = ""
    """Only people who may call this API route see the step; "" for everyone."""


def _notifies_here(visit: Visit) -> bool:
    subscriptions = visit.site.notifications.push_subscriptions.of_person(visit.person)
    return any(browser.is_current for browser in subscriptions)


def _has_second_device(visit: Visit) -> bool:
    own_devices = visit.site.devices.devices.list_own(visit.person)
    return sum(device.state == "active" for device in own_devices) > 1


def _has_items(route: str) -> Callable[[Visit], bool]:
    return lambda visit: bool(visit.read(route, limit="1")["items"])


STEPS: Final = (
    Step("Turn on notifications in this browser", "/devices#notifications", _notifies_here),
    Step("Add a second device, in case you lose this one", "/devices#another", _has_second_device),
    Step("Register the first agent", "/admin/new/agent", _has_items(_AGENTS), "POST /api/agents"),
    Step("Send a test request", "/admin/agents", _has_items(_REQUESTS), "POST /api/agents"),
)


def load_first_steps(visit: Visit) -> list[tuple[Step, bool]]:
    """Each step for this person, and whether it is done; empty if all are done."""
    visible_steps = [step for step in STEPS if not step.route or visit.may(step.route)]
    steps = [(step, step.is_done(visit)) for step in visible_steps]
    return [] if all(done for _, done in steps) else steps


_FIRST: Final = 50
_ON_ONE_PAGE: Final = 500
_DIGITS: Final = re.compile(r"[0-9]{1,3}")


def load(visit: Visit) -> Facts:
    """GET /: the first 50 requests, more with `first`, or with `all=true` as many as fit a page."""
    site, person = visit.site, visit.person
    inbox = site.approvals.inbox.load(person, _count_to_list())
    cards = [_card(item) for item in inbox.waiting]
    return {
        "waiting": [card for card in cards if not card["held"]],
        "held": [card for card in cards if card["held"]],
        "voted": [_card(item) for item in inbox.voted],
        "count": inbox.waiting_count,
        "cursor": inbox.feed_cursor,
        "on_one_page": _ON_ONE_PAGE,
        "lost": site.notifications.push_subscriptions.lost_by(person),
        "steps": load_first_steps(visit),
    }


def _count_to_list() -> int:
    """The number of requests to list."""
    if request.args.get("all") == "true":
        return _ON_ONE_PAGE
    first = request.args.get("first", "")
    return min(max(int(first), _FIRST), _ON_ONE_PAGE) if _DIGITS.fullmatch(first) else _FIRST


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
