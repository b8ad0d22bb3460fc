"""What every list of the administration takes from its query."""

import re
from typing import Final

from server.http.message import HttpRequest
from server.http.wire import milliseconds
from server.protocol import base64url, errors

QUERY: Final = ("limit", "cursor")

_MOST = 200

_NUMBER = re.compile(r"[0-9]{1,3}")


def limit(request: HttpRequest) -> int:
    """How many items are wanted, 50 unless said. Raises errors.Problem 422."""
    text = request.query.get("limit", "50")
    if not _NUMBER.fullmatch(text) or not 0 < int(text) <= _MOST:
        raise errors.Problem(422, "invalid_body", f"limit must be 1 to {_MOST}.")
    return int(text)


def cursor(request: HttpRequest) -> str:
    """Where the list goes on; "" for its beginning. Raises errors.Problem 422."""
    return read_cursor(request.query.get("cursor"))


def moment_cursor(request: HttpRequest) -> tuple[int, str] | None:
    """Likewise, in a list that is ordered by time."""
    text = cursor(request)
    if not text:
        return None
    moment, _, last = text.partition(".")
    if not re.fullmatch(r"[0-9]{1,18}", moment):
        raise errors.Problem(422, "invalid_body", "cursor must be the `next` of an earlier answer.")
    return int(moment), last


def moment(request: HttpRequest, name: str) -> int | None:
    """A moment by which the list is looked through. Raises errors.Problem 422."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        return milliseconds(text)
    except (ValueError, OverflowError) as error:
        detail = f"{name} must be a time like 2027-01-31T00:00:00Z."
        raise errors.Problem(422, "invalid_body", detail) from error


def ended(request: HttpRequest) -> bool:
    """Whether what is over is wanted too. Raises errors.Problem 422."""
    text = request.query.get("ended", "false")
    if text not in {"true", "false"}:
        raise errors.Problem(422, "invalid_body", "ended must be true or false.")
    return text == "true"


_MOST_CURSOR = 2_000


def write_cursor(place: str | None) -> str | None:
    """Where a list goes on, as something that nobody should read anything into."""
    if place is None:
        return None
    return base64url.encode(place.encode())


def read_cursor(text: str | None) -> str:
    """The place in a cursor of ours; "" for the beginning. Raises errors.Problem 422."""
    if not text:
        return ""
    try:
        place = base64url.decode(text[:_MOST_CURSOR]).decode()
    except ValueError:
        place = "\x00"
    if not place.isprintable():
        raise errors.Problem(422, "invalid_body", "cursor must be the `next` of an earlier answer.")
    return place
