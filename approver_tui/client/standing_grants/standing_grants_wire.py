"""Standing grants in the server's JSON.

Owns: their members. Never: what they mean.
"""

from dataclasses import asdict

from approver_tui.client.reading import JsonObject, read_as, read_each
from approver_tui.state.approvals.approvals import AutomaticDecision
from approver_tui.state.standing_grants.standing_grants import (
    GrantFact,
    GrantPreview,
    GrantUse,
    Money,
    StandingGrant,
    StandingGrantProposal,
)

_LONG = 2_000


def proposal_body(proposal: StandingGrantProposal) -> dict[str, object]:
    """Return the body of a proposal."""
    vary = [{"fact": member.pointer, "up_to": member.up_to} for member in proposal.vary]
    return {**asdict(proposal), "vary": vary}


def read_grant(members: JsonObject) -> StandingGrant:
    """Return a grant."""
    grant_uses = read_each(GrantUse, members, "taken") if "taken" in members.values else ()
    return read_as(
        StandingGrant,
        members,
        **members.id_and_name("agent"),
        **_read_shared(members, "sum", "spent"),
        taken=grant_uses,
    )


def read_preview(members: JsonObject) -> GrantPreview:
    """Return the preview of a grant."""
    agent_name = members.child("agent").safe("name")
    return read_as(GrantPreview, members, agent_name=agent_name, **_read_shared(members, "sum"))


def read_automatic_decision(members: JsonObject) -> AutomaticDecision:
    """Return the consent or standing grant that decided a request without the user."""
    grant = members.safe_or_none("standing_grant")
    return AutomaticDecision(
        consent=members.safe("consent") if grant is None else None,
        policy=members.integer("policy"),
        grant=grant,
        use=None if grant is None else members.integer("use"),
    )


def _read_shared(members: JsonObject, *sums: str) -> dict[str, object]:
    """Return the members that a grant and its preview share and `read_as` cannot read by type."""
    pattern = tuple(
        read_as(GrantFact, child, value=child.safe("value", max_len=_LONG))
        for child in members.children("pattern")
    )
    money = {name: members.read_child(name, _read_money) for name in sums}
    return {"resource": members.safe("resource", max_len=_LONG), "pattern": pattern, **money}


def _read_money(members: JsonObject) -> Money:
    return read_as(Money, members, words=members.safe("text"))
