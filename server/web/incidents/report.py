"""Saying "I did not ask for this": whom it stops, and what happens then, before it is signed.

Owns: the choices of `/r/<id>/report` and their words. Never: what a report does; `reports.py` does.
"""

from typing import Final

from server.model.approvals import Approval
from server.web.approvals.request import is_open, request_facts
from server.web.page import Facts
from server.web.visit import Visit

_ALONE: Final = (
    "It is denied as not recognized, and the agent is told so. No agent is quarantined and no "
    "administrator is notified."
)


def load(visit: Visit) -> Facts:
    """GET /r/<id>/report: of what waits and of what is over."""
    shown = visit.site.approvals.decisions.show(visit.person, visit.about)
    whom = choices(shown.approval, is_open=is_open(shown, visit.person))
    return {**request_facts(visit, shown), "choices": whom}


def choices(approval: Approval, *, is_open: bool) -> list[tuple[str, str, str]]:
    """Whom a report can stop: its scope in the API, what it is called, what happens then.

    "" is the request alone: a denial, which can be given once.
    """
    alone = ("", "This request", _ALONE)
    if approval.kind != "action":
        told = "It is denied, and the administrators are notified. No agent asked for it."
        stops = [("agent", "This request, and notify the administrators", told)]
    else:
        stops = [
            (
                "agent",
                "This agent",
                "It is quarantined: its tokens and requests end, for everyone.",
            ),
            ("every_agent", "Every agent acting for me", "Each one is quarantined, for everyone."),
        ]
    return [alone, *stops] if is_open else stops
