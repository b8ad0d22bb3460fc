"""The history page: a person's closed requests, newest first, page by page.

Owns: the filters of `/history` as an API query. Never: applying them; the API does.
"""

from collections.abc import Mapping
from typing import Final

from flask import request

from server.web import days
from server.web.approvals.outcomes import outcome_of
from server.web.approvals.request import headline_of
from server.web.page import Facts
from server.web.visit import Visit

_LIST: Final = "GET /api/approvals"
_PAGE_SIZE: Final = "25"
_KEPT: Final = ("agent", "result", "cursor")


def load(visit: Visit) -> Facts:
    """GET /history, with `agent`, `result`, `from`, `to` and `cursor`."""
    asked = {name: value.strip() for name, value in request.args.items() if value.strip()}
    found = visit.read(_LIST, **_query(asked), state="decided")
    return {
        "found": found,
        "asked": asked,
        "results": RESULTS,
        "headline_of": headline_of,
        "outcome_of": outcome_of,
    }


RESULTS: Final = (
    ("approved", "approved"),
    ("denied", "denied"),
    ("expired", "expired"),
    ("cancelled", "withdrawn"),
)
"""Each result of a request: its name in the API and its label."""


def _query(asked: Mapping[str, str]) -> dict[str, str]:
    """The filters as API query parameters. Raises errors.Problem 422 for an invalid day."""
    kept = {name: asked[name] for name in _KEPT if name in asked}
    return {"limit": _PAGE_SIZE, **kept, **days.span(asked)}
