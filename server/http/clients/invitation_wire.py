"""Invitations to register agents, as JSON."""

from pydantic import BaseModel, Field

from server.http.wire import Listed, Moment, Names, Reference, StrictBody, Text


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


class ManagedInvitation(BaseModel):
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
    created_at: str
    expires_at: str
    revoked_at: str | None


class ManagedInvitations(Listed[ManagedInvitation]):
    """A page of the list of invitations."""


class InvitationWithToken(BaseModel):
    """An invitation with its token, which is shown once."""

    invitation: ManagedInvitation
    initial_access_token: str
