"""Review dates of agents.

Owns: which dates are valid. Never: what follows; `sayso doctor` reminds, and nothing is disabled.
"""

from typing import Final

from server.services.refusals import Invalid, about

LONGEST_MS: Final = 10 * 366 * 24 * 60 * 60 * 1000


@about("review_at")
def check_review(now: int, at: int | None) -> int | None:
    """Return a review date within ten years, or None. Raises `Invalid`."""
    if at is not None and not now < at <= now + LONGEST_MS:
        raise Invalid("The review is in the past, or more than ten years away.")
    return at
