"""Spends or releases the use of a standing grant that was reserved for a request."""

from typing import Final

from server.model.approvals import Approval, automatic_decision
from server.model.store import Unit

GRANT_MEMBER: Final = "standing_grant"
"""The member that names the grant, in the audit log and in the token."""


def grant_of(approval: Approval) -> str | None:
    """Return the ID of the grant that decided a request; None if no grant did."""
    grant_id = (automatic_decision(approval) or {}).get(GRANT_MEMBER)
    return None if grant_id is None else str(grant_id)


def is_decided_by_grant(approval: Approval) -> bool:
    """Return whether a grant decided a request."""
    return grant_of(approval) is not None


def has_grant_ended(tx: Unit, approval: Approval) -> bool:
    """Return whether the deciding grant is over; if not, keep it in force until the commit."""
    grant_id = grant_of(approval)
    return grant_id is not None and not tx.standing_grants.in_force(grant_id, tx.now)


def lock_grant(tx: Unit, approval: Approval) -> None:
    """Lock the deciding grant's uses in this unit of work."""
    if (grant_id := grant_of(approval)) is not None:
        tx.lock(f"standing grant {grant_id}")


def release(tx: Unit, approval: Approval) -> None:
    """Release the use that was reserved for a request."""
    if grant_of(approval) is not None:
        tx.standing_grants.release(approval.id)


def spend(tx: Unit, approval: Approval) -> None:
    """Mark the use that was reserved for a request as spent."""
    if grant_of(approval) is not None:
        tx.standing_grants.spend(approval.id)
