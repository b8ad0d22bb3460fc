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
    """The calls of one client."""

    client: Client

    def grants(self, *, ended: bool = False) -> tuple[StandingGrant, ...]:
        """Return this user's standing grants, newest first."""
        params = {"ended": "true"} if ended else {}
        items = self.client.session.get(_PATH, params).children("items")
        return tuple(standing_grants_wire.read_grant(item) for item in items)

    def grant(self, grant_id: str) -> StandingGrant:
        """Return one grant with its uses."""
        return standing_grants_wire.read_grant(self.client.session.get(_grant_path(grant_id)))

    def revoke(self, grant_id: str) -> StandingGrant:
        """Revoke a grant."""
        answer = self.client.session.delete_and_read(_grant_path(grant_id))
        return standing_grants_wire.read_grant(answer)

    def preview(self, proposal: StandingGrantProposal) -> GrantPreview:
        """Return the preview of a grant; nothing is created."""
        body = standing_grants_wire.proposal_body(proposal)
        return standing_grants_wire.read_preview(self.client.session.post(f"{_PATH}/preview", body))

    def request(self, proposal: StandingGrantProposal, example: Approval) -> Approval:
        """Return the approval that creates a grant once it is signed.

        Raises Changed if it does not match the proposal: requests like the example, and no others.
        """
        body = standing_grants_wire.proposal_body(proposal)
        approval = wire.read_approval(self.client.session.post(_PATH, body))
        offered, now = approval.action_text, self.client.now()
        is_match = matches_proposal(proposal, example.action_text, offered, now)
        if approval.kind is not Kind.STANDING_GRANT or not is_match:
            raise Changed("The server offers something other than what you asked for.")
        return approval


def _grant_path(grant_id: str) -> str:
    """Return the path of a grant; a typed ID remains one segment."""
    return f"{_PATH}/{quote(grant_id, safe='')}"
