"""How a request ended, in the same words on every page.

Owns: the table of words by state and by who answered. Never: who answered; the API and the records
say that.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from server.model.approvals import Approval
from server.protocol.approvals.states import State
from server.services.standing_grants import uses


class By(StrEnum):
    """Who answered."""

    PERSON = "person"
    GRANT = "standing grant"
    CONSENT = "consent"
    NOBODY = "nobody"


_APPROVED: Final[Mapping[By, str]] = {
    By.PERSON: "approved",
    By.GRANT: "approved under a standing grant",
    By.CONSENT: "approved under a consent",
}
OUTCOMES: Final[Mapping[tuple[State, By], str]] = {
    **{(State.PENDING, by): "pending" for by in By},
    **{(State.DENIED, by): "denied" for by in By},
    (State.APPROVED, By.NOBODY): "approved",  # its answer is no longer stored
    (State.REDEEMED, By.NOBODY): "approved",
    (State.EXPIRED, By.NOBODY): "expired",
    (State.CANCELLED, By.NOBODY): "withdrawn",
    **{(State.APPROVED, by): words for by, words in _APPROVED.items()},
    **{(State.REDEEMED, by): words for by, words in _APPROVED.items()},
    **{(State.EXPIRED, by): f"{words}, not collected" for by, words in _APPROVED.items()},
    **{(State.CANCELLED, by): f"{words}, then withdrawn" for by, words in _APPROVED.items()},
}
"""What a page says about a request, by its state and by who answered it."""


def outcome_of(approval: Mapping[str, Any]) -> str:
    """The words for an approval in its API form."""
    automatic = approval.get("decided_by")
    if approval["decided"]:
        by = By.PERSON
    elif automatic is not None:
        by = By.GRANT if "standing_grant" in automatic else By.CONSENT
    else:
        by = By.NOBODY
    return OUTCOMES[State(approval["state"]), by]


def automatic_outcome(record: Approval) -> str:
    """The words for a record that a standing grant or a consent decided."""
    by = By.GRANT if uses.is_decided_by_grant(record) else By.CONSENT
    return OUTCOMES[record.state, by]
