"""When an agent is to be looked at again, and what other systems call it.

Owns: what may stand in both. Never: what follows; the doctor reminds, and nothing is stopped.
"""

from typing import Final

from server.protocol.text import check_prose
from server.services.refusals import Invalid, about

MOST_EXTERNAL_ID: Final = 128
LONGEST_MS: Final = 10 * 366 * 24 * 60 * 60 * 1000


@about("external_id")
def check_external_id(raw: str) -> str | None:
    """The id that another system has for an agent; None for an empty one. Raises `Invalid`."""
    if not raw:
        return None
    try:
        return check_prose(raw, what="The external id", max_chars=MOST_EXTERNAL_ID)
    except ValueError as error:
        raise Invalid(f"{error}.") from None


@about("review_at")
def check_review(now: int, at: int | None) -> int | None:
    """A review in the next ten years, or none. Raises `Invalid`."""
    if at is not None and not now < at <= now + LONGEST_MS:
        raise Invalid("The review is in the past, or more than ten years away.")
    return at
