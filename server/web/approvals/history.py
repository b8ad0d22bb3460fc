"""The history page: a person's closed requests, newest first, page by page.

Owns: the filters of `/history` as an API query. Never: applying them; the API does.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from flask import request

from server.protocol import errors
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
    return {"found": found, "asked": asked, "results": RESULTS, "headline_of": headline_of}


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
    try:
        since = {"since": _day(asked["from"])} if "from" in asked else {}
        until = {"until": _day(asked["to"], timedelta(days=1))} if "to" in asked else {}
    except (ValueError, OverflowError) as error:
        raise errors.Problem(422, "invalid_body", "Enter days such as 2026-11-25.") from error
    return {"limit": _PAGE_SIZE, **kept, **since, **until}


def _day(text: str, later: timedelta = timedelta()) -> str:
    """The start of a day, or of a later one, as RFC 3339 text."""
    begins = datetime.combine(date.fromisoformat(text) + later, datetime.min.time(), UTC)
    return begins.isoformat().replace("+00:00", "Z")
