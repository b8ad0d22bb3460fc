"""Converts the days in the filters of a page to times for the API."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from server.protocol import errors


def span(filters: Mapping[str, str]) -> dict[str, str]:
    """The days `from` and `to` as `since` and `until`; both days are included, in UTC.

    Raises errors.Problem 422 for an invalid day.
    """
    try:
        since = {"since": _start(filters["from"])} if "from" in filters else {}
        until = {"until": _start(filters["to"], timedelta(days=1))} if "to" in filters else {}
    except (ValueError, OverflowError) as error:
        raise errors.invalid_body("Enter dates such as 2026-11-25.") from error
    return since | until


def _start(text: str, later: timedelta = timedelta()) -> str:
    """The start of a day, or of a later one, as RFC 3339 text."""
    midnight = datetime.combine(date.fromisoformat(text) + later, datetime.min.time(), UTC)
    return midnight.isoformat().replace("+00:00", "Z")
