"""The endpoint that lists agents that need an owner or a review."""

from typing import Literal

from server.http import listing
from server.http.route import STAFF_AND_OWNERS, HttpRequest, managed
from server.http.wire import Listed, RecordResponse, Time
from server.services.incidents.orphans import Orphan as OrphanRecord
from server.services.operations.administration import AdminServices


class OrphanOwner(RecordResponse):
    """An owner, and when they last used a device or signed in to an app."""

    id: str
    name: str
    state: Literal["enabled", "disabled"]
    seen_at: Time | None


class Orphan(RecordResponse):
    """An agent that needs an owner or a review. `why` starts with the most serious reason.

    `quarantine_at` is the end of the grace period, or null.
    """

    client_id: str
    name: str
    state: Literal["enabled", "quarantined", "disabled"]
    why: list[Literal["no_owner", "owner_away", "review_due", "expired"]]
    owners: list[OrphanOwner]
    quarantine_at: Time | None
    review_at: Time | None
    expires_at: Time | None


class Orphans(Listed[Orphan]):
    """A page of the list of orphans, ordered by name."""


def document(record: OrphanRecord) -> Orphan:
    """An orphan as JSON."""
    return Orphan.of(
        record.agent,
        client_id=record.agent.id,
        why=record.why,
        owners=[OrphanOwner.of(owner.user, seen_at=owner.seen_at) for owner in record.owners],
        quarantine_at=record.quarantine_at,
    )


@managed("GET /api/admin/orphans", query=listing.QUERY, roles=STAFF_AND_OWNERS)
def list_orphans(request: HttpRequest, admin: AdminServices) -> Orphans:
    """List orphaned agents and agents to review. Without a role, list your own."""
    after_position, limit = listing.cursor(request), listing.limit(request)
    part = admin.orphans.page(after_position, limit, owner=admin.owner_id)
    return listing.page(Orphans, part, document)
