"""The query parameters that all lists in the administration API share."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from server.http.route import HttpRequest
from server.http.wire import Listed, milliseconds
from server.protocol import base64url, errors
from server.services.paging import ResultPage

QUERY: Final = ("limit", "cursor")

_Page = TypeVar("_Page", bound=Listed[Any])
_Row = TypeVar("_Row")

_MAX_LIMIT: Final = 200
_DIGITS: Final = re.compile(r"[0-9]{1,3}")
_BAD_CURSOR: Final = "cursor must be the `next` value of an earlier response."


def page(
    model: type[_Page], result_page: ResultPage[_Row], document: Callable[[_Row], object]
) -> _Page:
    """Build the response `model` from one page of results. `document` converts a row."""
    start = result_page.next
    return model(
        items=[document(item) for item in result_page.items],
        next=None if start is None else base64url.encode(start.encode()),
    )


def limit(request: HttpRequest) -> int:
    """The `limit` parameter; the default is 50. Raises errors.Problem 422."""
    return number(request, "limit", default=50, largest=_MAX_LIMIT)


def number(request: HttpRequest, name: str, *, default: int, largest: int) -> int:
    """The parameter with a number from 1 to `largest`. Raises errors.Problem 422."""
    text = request.query.get(name, str(default))
    if not _DIGITS.fullmatch(text) or not 0 < int(text) <= largest:
        raise errors.invalid_body(f"{name} must be 1 to {largest}.")
    return int(text)


def cursor(request: HttpRequest) -> str:
    """The position in the `cursor` parameter; "" for the first page. Raises errors.Problem 422."""
    try:
        start = base64url.decode(request.query.get("cursor", "")).decode()
    except ValueError:
        raise errors.invalid_body(_BAD_CURSOR) from None
    if not start.isprintable():
        raise errors.invalid_body(_BAD_CURSOR)
    return start


def timestamp_cursor(request: HttpRequest) -> tuple[int, str] | None:
    """The time and ID in the cursor of a list that is ordered by time; None for the first page.

    Raises errors.Problem 422.
    """
    text = cursor(request)
    if not text:
        return None
    timestamp, _, record_id = text.partition(".")
    if not re.fullmatch(r"[0-9]{1,18}", timestamp):
        raise errors.invalid_body(_BAD_CURSOR)
    return int(timestamp), record_id


def timestamp(request: HttpRequest, name: str) -> int | None:
    """The named timestamp parameter; None if it is absent. Raises errors.Problem 422."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        return milliseconds(text)
    except (ValueError, OverflowError) as error:
        detail = f"{name} must be a time like 2027-01-31T00:00:00Z."
        raise errors.invalid_body(detail) from error


def flag(request: HttpRequest, name: str) -> bool:
    """The named parameter, true or false; the default is false. Raises errors.Problem 422."""
    text = request.query.get(name, "false")
    if text not in {"true", "false"}:
        raise errors.invalid_body(f"{name} must be true or false.")
    return text == "true"
