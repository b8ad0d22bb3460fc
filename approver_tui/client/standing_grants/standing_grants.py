"""Standing grants: looking at them, taking one back, and giving one.

Owns: the calls, and the check that what is offered for signing is what was wished.
Never: keys; the answer is signed like any other, in deciding.py.
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
    """All of it for one client; for callers that hold no client themselves."""

    client: Client

    def grants(self) -> tuple[StandingGrant, ...]:
        """Return what this person approved ahead and is not over, newest first."""
        return grants(self.client)

    def revoke(self, grant_id: str) -> StandingGrant:
        """Take a grant back."""
        return revoke(self.client, grant_id)

    def preview(self, wish: StandingGrantProposal) -> GrantPreview:
        """Return what a grant would be; nothing is given."""
        return preview(self.client, wish)

    def open(self, wish: StandingGrantProposal, example: Approval) -> Approval:
        """Return the approval that gives a grant once it is signed. Raises Changed."""
        return open_grant(self.client, wish, example)


def grants(client: Client, *, ended: bool = False) -> tuple[StandingGrant, ...]:
    """Return what this person approved ahead, newest first."""
    params = {"ended": "true"} if ended else {}
    items = client.session.get(_PATH, params).children("items")
    return tuple(standing_grants_wire.read_grant(item) for item in items)


def grant(client: Client, grant_id: str) -> StandingGrant:
    """Return one grant with its uses."""
    return standing_grants_wire.read_grant(client.session.get(_one(grant_id)))


def revoke(client: Client, grant_id: str) -> StandingGrant:
    """Take a grant back."""
    return standing_grants_wire.read_grant(client.session.ended(_one(grant_id)))


def preview(client: Client, wish: StandingGrantProposal) -> GrantPreview:
    """Return what a grant would be; nothing is given."""
    answer = client.session.post(f"{_PATH}/preview", standing_grants_wire.proposal_body(wish))
    return standing_grants_wire.read_preview(answer)


def open_grant(client: Client, wish: StandingGrantProposal, example: Approval) -> Approval:
    """Return the approval that gives a grant once it is signed.

    Raises Changed when it is not for what was wished: requests like the example, and no others.
    """
    opened = wire.read_approval(
        client.session.post(_PATH, standing_grants_wire.proposal_body(wish))
    )
    fits = matches_proposal(wish, example.action_text, opened.action_text, client.now())
    if opened.kind is not Kind.STANDING_GRANT or not fits:
        raise Changed("The server offers something else for signing than you wished.")
    return opened


def _one(grant_id: str) -> str:
    """An id that a person typed stays one segment of the path."""
    return f"{_PATH}/{quote(grant_id, safe='')}"
