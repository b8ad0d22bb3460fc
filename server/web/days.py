"""Converts days in filters and forms to times for the API."""

from collections.abc import Mapping
from datetime import date, timedelta

from server.protocol import errors


def span(filters: Mapping[str, str]) -> dict[str, str]:
    """The days `from` and `to` as `since` and `until`; both days are included, in UTC.

    Raises errors.Problem 422 for an invalid day.
    """
    try:
        since = {"since": start_of_day(filters["from"])} if "from" in filters else {}
        until = {"until": start_of_next_day(filters["to"])} if "to" in filters else {}
    except (ValueError, OverflowError) as error:
        raise errors.invalid_body("Enter dates such as 2026-11-25.") from error
    return since | until


def start_of_day(text: str) -> str:
    """Midnight UTC of this day, in RFC 3339 format. Raises ValueError."""
    return f"{date.fromisoformat(text).isoformat()}T00:00:00Z"


def start_of_next_day(text: str) -> str:
    """Midnight UTC after this day, in RFC 3339 format. Raises ValueError or OverflowError."""
    return start_of_day((date.fromisoformat(text) + timedelta(days=1)).isoformat())
