"""Standing grants: listing, revoking and creating them.

Owns: the calls, their JSON, and the check that the text offered for signing matches the proposal.
Never: keys; the answer is signed like any other, in `decisions.py`.
"""

from dataclasses import asdict, dataclass
from urllib.parse import quote

from approver_tui.client import wire
from approver_tui.client.api import Client
from approver_tui.client.errors import Changed
from approver_tui.client.reading import JsonObject, read_as, read_each
from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.standing_grants.standing_grants import (
    GrantPreview,
    GrantUse,
    Money,
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
        return tuple(_read_grant(item) for item in items)

    def grant(self, grant_id: str) -> StandingGrant:
        """Return one grant with its uses."""
        return _read_grant(self.client.session.get(_grant_path(grant_id)))

    def revoke(self, grant_id: str) -> StandingGrant:
        """Revoke a grant."""
        answer = self.client.session.delete_and_read(_grant_path(grant_id))
        return _read_grant(answer)

    def preview(self, proposal: StandingGrantProposal) -> GrantPreview:
        """Return the preview of a grant; nothing is created."""
        body = _proposal_body(proposal)
        return _read_preview(self.client.session.post(f"{_PATH}/preview", body))

    def request(self, proposal: StandingGrantProposal, example: Approval) -> Approval:
        """Return the approval that creates a grant once it is signed.

        Raises Changed if it does not match the proposal: requests like the example, and no others.
        """
        body = _proposal_body(proposal)
        approval = wire.read_approval(self.client.session.post(_PATH, body))
        offered, now = approval.action_text, self.client.now()
        is_match = matches_proposal(proposal, example.action_text, offered, now)
        if approval.kind is not Kind.STANDING_GRANT or not is_match:
            raise Changed("The server offers something other than what you asked for.")
        return approval


def _grant_path(grant_id: str) -> str:
    """Return the path of a grant; a typed ID remains one segment."""
    return f"{_PATH}/{quote(grant_id, safe='')}"


def _proposal_body(proposal: StandingGrantProposal) -> dict[str, object]:
    vary = [{"fact": member.pointer, "up_to": member.up_to} for member in proposal.vary]
    return {**asdict(proposal), "vary": vary}


def _read_grant(members: JsonObject) -> StandingGrant:
    grant_uses = read_each(GrantUse, members, "taken") if "taken" in members.values else ()
    return read_as(
        StandingGrant,
        members,
        **members.id_and_name("agent"),
        sum=members.read_child("sum", _read_money),
        spent=members.read_child("spent", _read_money),
        taken=grant_uses,
    )


def _read_preview(members: JsonObject) -> GrantPreview:
    agent_name, total = members.child("agent").safe("name"), members.read_child("sum", _read_money)
    return read_as(GrantPreview, members, agent_name=agent_name, sum=total)


def _read_money(members: JsonObject) -> Money:
    return read_as(Money, members, words=members.safe("text"))
