"""The history page: a person's closed requests, newest first, in pages.

Owns: the filters of `/history` as an API query. Never: applying them; the API does that.
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
_API_PARAMETERS: Final = ("agent", "result", "cursor")


def load(visit: Visit) -> Facts:
    """GET /history, with `agent`, `result`, `from`, `to` and `cursor`."""
    filters = {name: value.strip() for name, value in request.args.items() if value.strip()}
    approvals = visit.read(_LIST, **_query(filters), state="decided")
    return {
        "found": approvals,
        "asked": filters,
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


def _query(filters: Mapping[str, str]) -> dict[str, str]:
    """The filters as API query parameters. Raises errors.Problem 422 for an invalid day."""
    passed_on = {name: filters[name] for name in _API_PARAMETERS if name in filters}
    return {"limit": _PAGE_SIZE, **passed_on, **days.span(filters)}
