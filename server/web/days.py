"""Days that people pick in a page's filter, as times of the API."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from server.protocol import errors


def span(asked: Mapping[str, str]) -> dict[str, str]:
    """The days `from` and `to` as `since` and `until`; both days are included, in UTC.

    Raises errors.Problem 422 for an invalid day.
    """
    try:
        since = {"since": _start(asked["from"])} if "from" in asked else {}
        until = {"until": _start(asked["to"], timedelta(days=1))} if "to" in asked else {}
    except (ValueError, OverflowError) as error:
        raise errors.invalid_body("Enter days such as 2026-11-25.") from error
    return since | until


def _start(text: str, later: timedelta = timedelta()) -> str:
    """The start of a day, or of a later one, as RFC 3339 text."""
    begins = datetime.combine(date.fromisoformat(text) + later, datetime.min.time(), UTC)
    return begins.isoformat().replace("+00:00", "Z")
