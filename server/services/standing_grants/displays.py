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
from server.services.consents.displays import time_text
from server.services.policy import displays
from server.services.standing_grants.proposals import CheckedProposal, TriedRequest

_MAX_CHARACTERS = 2_000


def standing_grant_display(
    proposal: CheckedProposal, party: Party, past: Sequence[TriedRequest], peer: str
) -> Display:
    """Return what approvers see of a standing grant; `past` are the requests it was tried on."""
    name, until = display_safe(party.name), time_text(proposal.bounds.until)
    target, action = proposal.target, proposal.action
    what = ", ".join(target.scope) if action is None else action.title
    times = _times(proposal.bounds.uses)
    return Display(
        kind="standing_grant",
        risk=proposal.given_at,
        risk_reason=_safe(
            f"It covers {proposal.risk} risk; standing grants count one risk level higher."
        ),
        title="Standing grant",
        headline=_safe(f"Let {name} do this {times} without asking: {display_safe(what)}"),
        facts=_facts(proposal, party, past),
        scopes={scope: target.resource.scopes[scope] for scope in target.scope},
        resource=target.resource.uri,
        undo="You can revoke it at any time (sayso-approver grants revoke). "
        "Actions that it allowed are not undone.",
        why="A standing grant covers many requests, so it needs your signature.",
        gives=_safe(
            f"Until {until}, and {times} at most, {name} gets an access token for a request "
            "like this one without asking you. Every other request still needs your approval."
        ),
        agent=displays.agent_member(party.id, party.name, party.owners, first_request=False),
        user=proposal.user,
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
    facts = [_fact("Agent", party.name)]
    facts.append(_fact("Agent key", "the current key; a new key ends the grant"))
    facts.append(_fact("At", proposal.target.resource.uri))
    facts += [_fact("May use", scope) for scope in sorted(proposal.target.scope)]
    facts += [_fact(*fact) for fact in pattern_facts(proposal.action, proposal.pattern)]
    facts.append(_fact("How often", _times(bounds.uses)))
    if bounds.sum is not None:
        facts.append(_fact("Total", f"up to {money_text(bounds.sum)}"))
    facts.append(_fact("Until", time_text(bounds.until)))
    facts.append(_fact("Risk", f"up to {proposal.risk}"))
    each_use = "you are notified" if proposal.notify else "only in your history"
    facts.append(_fact("Each use", each_use))
    facts.append(_fact("Would have covered", f"{covered} of the last {len(past)}"))
    return facts


def _times(uses: int) -> str:
    return "once" if uses == 1 else f"{uses:,} times"


def _fact(label: str, value: str) -> JsonValue:
    return {"label": display_safe(label), "value": _safe(value), "material": True}


def _safe(text: str) -> str:
    return display_safe(text, max_chars=_MAX_CHARACTERS)
