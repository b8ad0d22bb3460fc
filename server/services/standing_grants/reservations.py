"""What was reserved of a standing grant for a request: spent, given back, or over."""

from typing import Final

from server.model.approvals import Approval, said_by
from server.model.store import Unit

GRANT: Final = "standing_grant"
"""What a decision that a grant made is called, in the record and in the token."""


def grant_of(approval: Approval) -> str | None:
    """The grant that decided a request; None where something else did."""
    found = (said_by(approval) or {}).get(GRANT)
    return None if found is None else str(found)


def decided(approval: Approval) -> bool:
    """Reports whether a grant decided a request."""
    return grant_of(approval) is not None


def ended(tx: Unit, approval: Approval) -> bool:
    """Reports whether a grant decided a request and is over; one that is not stays in force."""
    grant_id = grant_of(approval)
    return grant_id is not None and not tx.standing_grants.in_force(grant_id, tx.now)


def queue(tx: Unit, approval: Approval) -> None:
    """Wait for whoever else is about to use, give back or spend of the grant that decided this."""
    if (grant_id := grant_of(approval)) is not None:
        tx.lock(f"standing grant {grant_id}")


def release(tx: Unit, approval: Approval) -> None:
    """Give back what was reserved for a request that came to nothing."""
    if grant_of(approval) is not None:
        tx.standing_grants.release(approval.id)


def spend(tx: Unit, approval: Approval) -> None:
    """What was reserved for a request came to a token."""
    if grant_of(approval) is not None:
        tx.standing_grants.spend(approval.id)
