"""Endpoints to administer invitations."""

from pydantic import BaseModel, Field

from server.http import listing
from server.http.members import references
from server.http.route import HttpRequest, managed
from server.http.wire import (
    Listed,
    Moment,
    Names,
    RecordResponse,
    Reference,
    StrictBody,
    Text,
    Time,
    milliseconds,
)
from server.model.clients import Invitation
from server.services.clients.invitations import SAFE_GRANTS
from server.services.clients.invitations import NewInvitation as RequestedInvitation
from server.services.operations.administration import AdminServices


class NewInvitation(StrictBody):
    """An invitation to create. Without `asks`, the agents can ask only their owner."""

    owner: Text
    grant_types: Names | None = None
    resources: Names = Field(default=[])
    scopes: Names = Field(default=[])
    action_types: Names | None = None
    asks: Names = Field(default=[])
    asks_everybody: bool = False
    uses: int = Field(default=1, ge=1, le=1_000)
    expires_at: Moment | None = None


class ManagedInvitation(RecordResponse):
    """An invitation to register agents."""

    id: str
    owner: Reference
    grant_types: list[str]
    resources: list[str]
    scopes: list[str]
    action_types: list[str] | None
    asks: list[Reference] | None
    uses_left: int
    created_by: str
    created_at: Time
    expires_at: Time
    revoked_at: Time | None


class ManagedInvitations(Listed[ManagedInvitation]):
    """A page of the list of invitations."""


class InvitationWithToken(BaseModel):
    """An invitation with its token, which is shown once."""

    invitation: ManagedInvitation
    initial_access_token: str


@managed("GET /api/invitations", query=listing.QUERY)
def list_invitations(request: HttpRequest, admin: AdminServices) -> ManagedInvitations:
    """List invitations for agents."""
    part = admin.invitations.page(listing.cursor(request), listing.limit(request))
    return listing.page(ManagedInvitations, part, lambda invitation: document(admin, invitation))


@managed("POST /api/invitations", status=201, signed=True)
def issue(admin: AdminServices, body: NewInvitation) -> InvitationWithToken:
    """Create an invitation. The token is shown once."""
    issued = admin.invitations.issue(_new(body), by=admin.by)
    return InvitationWithToken(
        invitation=document(admin, issued.invitation), initial_access_token=issued.token
    )


@managed("DELETE /api/invitations/<id>")
def revoke(admin: AdminServices, record_id: str) -> ManagedInvitation:
    """Revoke an invitation. Agents that used it stay registered."""
    invitation = admin.invitations.revoke(record_id, by=admin.by)
    return document(admin, invitation)


def _new(body: NewInvitation) -> RequestedInvitation:
    return RequestedInvitation(
        owner=body.owner,
        grant_types=SAFE_GRANTS if body.grant_types is None else tuple(body.grant_types),
        resources=tuple(body.resources),
        scopes=tuple(body.scopes),
        action_types=None if body.action_types is None else tuple(body.action_types),
        asks=None if body.asks_everybody else tuple(body.asks),
        uses=body.uses,
        expires_at=None if body.expires_at is None else milliseconds(body.expires_at),
    )


def document(admin: AdminServices, record: Invitation) -> ManagedInvitation:
    """Return an invitation as JSON."""
    names_by_id = admin.names((record.owner_id, *(record.asks or ())))
    (owner,) = references((record.owner_id,), names_by_id)
    asks = None if record.asks is None else references(record.asks, names_by_id)
    return ManagedInvitation.of(record, owner=owner, asks=asks)
