"""Standing grants in the server's JSON.

Owns: their members. Never: what they mean.
"""

from approver_tui.client.reading import JsonObject
from approver_tui.state.approvals.approvals import AutomaticDecision
from approver_tui.state.standing_grants.standing_grants import (
    GrantFact,
    GrantPreview,
    GrantState,
    GrantUse,
    Money,
    PastRequest,
    StandingGrant,
    StandingGrantProposal,
)
from approver_tui.state.text import SafeText, display_safe

_LONG = 2_000


def proposal_body(proposal: StandingGrantProposal) -> dict[str, object]:
    """Return the body of a proposal."""
    vary = [{"fact": each.pointer, "up_to": each.up_to} for each in proposal.vary]
    return {
        "approval": proposal.approval,
        "seconds": proposal.seconds,
        "uses": proposal.uses,
        "sum": proposal.sum,
        "vary": vary,
        "notify": proposal.notify,
    }


def read_grant(members: JsonObject) -> StandingGrant:
    """Return a grant."""
    agent = members.child("agent")
    return StandingGrant(
        id=members.safe("id"),
        state=members.choice("state", GrantState),
        agent_id=agent.safe("id"),
        agent_name=agent.safe("name"),
        resource=members.safe("resource", max_len=_LONG),
        scopes=_read_scopes(members),
        type=members.safe_or_none("type"),
        pattern=_read_pattern(members),
        risk=members.safe("risk"),
        uses=members.integer("uses"),
        used=members.integer("used"),
        sum=_read_money(members, "sum"),
        spent=_read_money(members, "spent"),
        notify=members.boolean("notify"),
        approval=members.safe("approval"),
        created_at=members.time("created_at"),
        expires_at=members.time("expires_at"),
        ended_at=members.time_or_none("ended_at"),
        ended_because=members.safe_or_none("ended_because"),
        taken=tuple(map(_read_use, members.children("taken"))) if "taken" in members.values else (),
    )


def read_preview(members: JsonObject) -> GrantPreview:
    """Return the preview of a grant."""
    return GrantPreview(
        agent_name=members.child("agent").safe("name"),
        resource=members.safe("resource", max_len=_LONG),
        scopes=_read_scopes(members),
        pattern=_read_pattern(members),
        risk=members.safe("risk"),
        given_at=members.safe("given_at"),
        uses=members.integer("uses"),
        sum=_read_money(members, "sum"),
        expires_at=members.time("expires_at"),
        requests=tuple(map(_read_past_request, members.children("requests"))),
    )


def read_automatic_decision(members: JsonObject | None) -> AutomaticDecision | None:
    """Return what decided a request that nobody was asked about."""
    if members is None:
        return None
    grant = members.safe_or_none("standing_grant")
    return AutomaticDecision(
        consent=members.safe("consent") if grant is None else None,
        policy=members.integer("policy"),
        grant=grant,
        use=None if grant is None else members.integer("use"),
    )


def _read_scopes(members: JsonObject) -> tuple[SafeText, ...]:
    return tuple(display_safe(scope, max_len=200) for scope in members.texts("scopes"))


def _read_pattern(members: JsonObject) -> tuple[GrantFact, ...]:
    return tuple(
        GrantFact(each.safe("label"), each.safe("value", max_len=_LONG))
        for each in members.children("pattern")
    )


def _read_money(members: JsonObject, name: str) -> Money | None:
    found = members.child_or_none(name)
    if found is None:
        return None
    return Money(found.integer("minor"), found.safe("currency"), found.safe("text"))


def _read_use(members: JsonObject) -> GrantUse:
    return GrantUse(
        number=members.integer("number"),
        approval=members.safe("approval"),
        minor=members.integer("minor"),
        state=members.safe("state"),
        at=members.time("at"),
    )


def _read_past_request(members: JsonObject) -> PastRequest:
    return PastRequest(
        id=members.safe("id"),
        fingerprint=members.safe("fingerprint"),
        state=members.safe("state"),
        created_at=members.time("created_at"),
        mismatch=members.safe_or_none("mismatch"),
    )
