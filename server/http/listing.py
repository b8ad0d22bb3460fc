"""The query parameters that all lists of the administration share."""

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

_MAX_LIMIT = 200

_DIGITS = re.compile(r"[0-9]{1,3}")


def page(kind: type[_Page], part: ResultPage[_Row], document: Callable[[_Row], object]) -> _Page:
    """A page of a list as this model. `document` converts a row to an item."""
    items = [document(item) for item in part.items]
    return kind(items=items, next=write_cursor(part.next))


def limit(request: HttpRequest) -> int:
    """The `limit` parameter; the default is 50. Raises errors.Problem 422."""
    text = request.query.get("limit", "50")
    if not _DIGITS.fullmatch(text) or not 0 < int(text) <= _MAX_LIMIT:
        raise errors.invalid_body(f"limit must be 1 to {_MAX_LIMIT}.")
    return int(text)


def cursor(request: HttpRequest) -> str:
    """The position in the `cursor` parameter; "" for the first page. Raises errors.Problem 422."""
    return read_cursor(request.query.get("cursor"))


def moment_cursor(request: HttpRequest) -> tuple[int, str] | None:
    """The time and id in the cursor of a list that is ordered by time; None for the first page.

    Raises errors.Problem 422.
    """
    text = cursor(request)
    if not text:
        return None
    moment, _, last = text.partition(".")
    if not re.fullmatch(r"[0-9]{1,18}", moment):
        raise errors.invalid_body("cursor must be the `next` value of an earlier response.")
    return int(moment), last


def moment(request: HttpRequest, name: str) -> int | None:
    """A time parameter of the list. Raises errors.Problem 422."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        return milliseconds(text)
    except (ValueError, OverflowError) as error:
        detail = f"{name} must be a time like 2027-01-31T00:00:00Z."
        raise errors.invalid_body(detail) from error


def includes_ended(request: HttpRequest) -> bool:
    """The `ended` parameter: whether to include ended items. Raises errors.Problem 422."""
    text = request.query.get("ended", "false")
    if text not in {"true", "false"}:
        raise errors.invalid_body("ended must be true or false.")
    return text == "true"


_MAX_CURSOR = 2_000


def write_cursor(start: str | None) -> str | None:
    """Encode the position of the next page as an opaque cursor."""
    if start is None:
        return None
    return base64url.encode(start.encode())


def read_cursor(text: str | None) -> str:
    """Decode a cursor to its position; "" for the first page. Raises errors.Problem 422."""
    if not text:
        return ""
    try:
        start = base64url.decode(text[:_MAX_CURSOR]).decode()
    except ValueError:
        start = "\x00"
    if not start.isprintable():
        raise errors.invalid_body("cursor must be the `next` value of an earlier response.")
    return start
