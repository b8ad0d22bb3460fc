"""The display text of a standing grant."""

from collections.abc import Mapping, Sequence

from server.model.approval_requests import Display
from server.model.display_names import Party
from server.protocol.json_text import JsonValue
from server.protocol.policy import rendering
from server.protocol.policy.action_types import ActionType
from server.protocol.standing_grants import standing_grants
from server.protocol.standing_grants.standing_grants import Pattern, Sum
from server.protocol.text import display_safe
from server.protocol.times import time_text
from server.services.consents.displays import fact, safe_text
from server.services.policy import displays
from server.services.standing_grants.proposals import CheckedProposal, TriedRequest


def standing_grant_display(
    proposal: CheckedProposal, party: Party, past: Sequence[TriedRequest], peer: str
) -> Display:
    """Return what approvers see of a standing grant, which was tried on the `past` requests."""
    name, until = display_safe(party.name), time_text(proposal.bounds.until)
    target, action = proposal.example.target, proposal.example.action
    what = ", ".join(target.scope) if action is None else action.title
    times = _times(proposal.bounds.uses)
    return Display(
        kind="standing_grant",
        risk=proposal.given_at,
        risk_reason=safe_text(
            f"It covers {proposal.example.risk} risk; standing grants count one risk level higher."
        ),
        title="Standing grant",
        headline=safe_text(f"Let {name} do this {times} without asking: {display_safe(what)}"),
        facts=_facts(proposal, party, past),
        scopes={scope: target.resource.scopes[scope] for scope in target.scope},
        resource=target.resource.uri,
        undo="You can revoke it at any time (sayso-approver grants revoke). "
        "Actions that it allowed are not undone.",
        why="A standing grant covers many requests, so it needs your signature.",
        gives=safe_text(
            f"Until {until}, and {times} at most, {name} gets an access token for a request "
            "like this one without asking you. Every other request still needs your approval."
        ),
        agent=displays.agent_member(party.id, party.name, party.owners, first_request=False),
        user=proposal.example.user,
        peer=peer,
    )


def money_text(value: Sum) -> str:
    """Render an amount."""
    return rendering.render({"minor": value.minor, "currency": value.currency})


def pattern_facts(action: ActionType | None, pattern: Pattern) -> list[tuple[str, str]]:
    """Return each member of the details, with its required value or how it may vary."""
    if action is None:
        return []
    details: Mapping[str, JsonValue] = standing_grants.with_variations(
        pattern.details[0], pattern.vary
    )
    return [(fact.label, fact.value) for fact in rendering.facts(action, details)]


def _facts(
    proposal: CheckedProposal, party: Party, past: Sequence[TriedRequest]
) -> list[JsonValue]:
    bounds, covered = proposal.bounds, sum(request.mismatch is None for request in past)
    facts = [fact("Agent", party.name)]
    facts.append(fact("Agent key", "the current key; a new key ends the grant"))
    facts.append(fact("Resource", proposal.example.target.resource.uri))
    facts += [fact("Scope", scope) for scope in sorted(proposal.example.target.scope)]
    facts += [
        fact(label, value)
        for label, value in pattern_facts(proposal.example.action, proposal.pattern)
    ]
    facts.append(fact("How often", _times(bounds.uses)))
    if bounds.sum is not None:
        facts.append(fact("Total", f"up to {money_text(bounds.sum)}"))
    facts.append(fact("Until", time_text(bounds.until)))
    facts.append(fact("Risk", f"up to {proposal.example.risk}"))
    each_use = "you are notified" if proposal.notify else "only in your history"
    facts.append(fact("Each use", each_use))
    facts.append(fact("Would have covered", f"{covered} of the last {len(past)}"))
    return facts


def _times(uses: int) -> str:
    return "once" if uses == 1 else f"{uses:,} times"
