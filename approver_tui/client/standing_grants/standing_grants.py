"""Standing grants: listing, revoking and creating them.

Owns: the calls, and the check that the text offered for signing matches the proposal. Never: keys;
the answer is signed like any other, in `decisions.py`.
"""

from dataclasses import dataclass
from urllib.parse import quote

from approver_tui.client import wire
from approver_tui.client.api import Client
from approver_tui.client.errors import Changed
from approver_tui.client.standing_grants import standing_grants_wire
from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.standing_grants.standing_grants import (
    GrantPreview,
    StandingGrant,
    StandingGrantProposal,
    matches_proposal,
)

_PATH = "/api/grants"


@dataclass(frozen=True, slots=True)
class StandingGrantsClient:
    """The calls, bound to one client."""

    client: Client

    def grants(self) -> tuple[StandingGrant, ...]:
        """Return this user's standing grants that have not ended, newest first."""
        return grants(self.client)

    def revoke(self, grant_id: str) -> StandingGrant:
        """Revoke a grant."""
        return revoke(self.client, grant_id)

    def preview(self, proposal: StandingGrantProposal) -> GrantPreview:
        """Return the preview of a grant; nothing is created."""
        return preview(self.client, proposal)

    def request(self, proposal: StandingGrantProposal, example: Approval) -> Approval:
        """Return the approval that creates a grant once it is signed. Raises Changed."""
        return request_grant(self.client, proposal, example)


def grants(client: Client, *, ended: bool = False) -> tuple[StandingGrant, ...]:
    """Return this user's standing grants, newest first."""
    params = {"ended": "true"} if ended else {}
    items = client.session.get(_PATH, params).children("items")
    return tuple(standing_grants_wire.read_grant(item) for item in items)


def grant(client: Client, grant_id: str) -> StandingGrant:
    """Return one grant with its uses."""
    return standing_grants_wire.read_grant(client.session.get(_grant_path(grant_id)))


def revoke(client: Client, grant_id: str) -> StandingGrant:
    """Revoke a grant."""
    return standing_grants_wire.read_grant(client.session.delete_and_read(_grant_path(grant_id)))


def preview(client: Client, proposal: StandingGrantProposal) -> GrantPreview:
    """Return the preview of a grant; nothing is created."""
    answer = client.session.post(f"{_PATH}/preview", standing_grants_wire.proposal_body(proposal))
    return standing_grants_wire.read_preview(answer)


def request_grant(client: Client, proposal: StandingGrantProposal, example: Approval) -> Approval:
    """Return the approval that creates a grant once it is signed.

    Raises Changed if it does not match the proposal: requests like the example, and no others.
    """
    opened = wire.read_approval(
        client.session.post(_PATH, standing_grants_wire.proposal_body(proposal))
    )
    fits = matches_proposal(proposal, example.action_text, opened.action_text, client.now())
    if opened.kind is not Kind.STANDING_GRANT or not fits:
        raise Changed("The server offers something other than what you asked for.")
    return opened


def _grant_path(grant_id: str) -> str:
    """Return the path of a grant; a typed ID stays one segment."""
    return f"{_PATH}/{quote(grant_id, safe='')}"
