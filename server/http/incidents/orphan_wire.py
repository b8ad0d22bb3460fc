"""Agents that need an owner or a review, as JSON."""

from typing import Literal

from pydantic import BaseModel

from server.http.wire import Listed
from server.services.incidents import incident_json
from server.services.incidents.orphans import Orphan as Record


class OrphanOwner(BaseModel):
    """An owner, and when they were last seen at a device or signing in to an app."""

    id: str
    name: str
    state: Literal["enabled", "disabled"]
    seen_at: str | None


class Orphan(BaseModel):
    """An agent that needs an owner or a review; `why` has the most serious reason first.

    `quarantine_at` is the end of its grace period, or null.
    """

    client_id: str
    name: str
    state: Literal["enabled", "quarantined", "disabled"]
    why: list[Literal["no_owner", "owner_away", "review_due", "expired"]]
    owners: list[OrphanOwner]
    quarantine_at: str | None
    review_at: str | None
    expires_at: str | None


class Orphans(Listed[Orphan]):
    """A page of the list, by name."""


def orphan(record: Record) -> Orphan:
    """One agent as JSON."""
    return Orphan.model_validate(incident_json.orphan(record))
