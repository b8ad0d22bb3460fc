"""When an agent is to be looked at again.

Owns: which moments may be. Never: what follows; the doctor reminds, and nothing is stopped.
"""

from typing import Final

from server.services.refusals import Invalid, about

LONGEST_MS: Final = 10 * 366 * 24 * 60 * 60 * 1000


@about("review_at")
def check_review(now: int, at: int | None) -> int | None:
    """A review in the next ten years, or none. Raises `Invalid`."""
    if at is not None and not now < at <= now + LONGEST_MS:
        raise Invalid("The review is in the past, or more than ten years away.")
    return at
