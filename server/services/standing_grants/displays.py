"""The display text of a standing grant."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.model.display_names import Party
from server.model.users import User
from server.protocol.json_text import JsonValue
from server.protocol.policy import rendering
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.risks import Risk
from server.protocol.standing_grants import standing_grants
from server.protocol.standing_grants.standing_grants import Bounds, Pattern, Sum
from server.protocol.text import display_safe
from server.services.consents.displays import time_text
from server.services.policy import displays
from server.services.policy.displays import Display
from server.services.resources.targets import TokenTarget

_MAX_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class StandingGrantDisplay:
    """The input for a standing grant's display text."""

    approval_id: str
    party: Party
    user: User
    target: TokenTarget
    pattern: Pattern
    action: ActionType | None
    bounds: Bounds
    risk: Risk
    """The highest risk that the grant covers."""
    given_at: Risk
    """The risk level of approving the grant, which is displayed."""
    notify: bool
    covered: int
    looked_at: int
    """The number of newest requests compared; the grant would have covered `covered` of them."""
    peer: str
    asked_at: int
    expires_at: int


def standing_grant_display(grant: StandingGrantDisplay) -> str:
    """Create the display text for a standing grant."""
    name, until = display_safe(grant.party.name), time_text(grant.bounds.until)
    what = ", ".join(grant.target.scope) if grant.action is None else grant.action.title
    times = _times(grant.bounds.uses)
    return displays.canonical_display(
        Display(
            approval_id=grant.approval_id,
            kind="standing_grant",
            risk=grant.given_at,
            risk_reason=_safe(
                f"It covers {grant.risk} risk; standing grants count one risk level higher."
            ),
            title="Standing grant",
            headline=_safe(f"Let {name} do this {times} without asking: {display_safe(what)}"),
            facts=_facts(grant),
            scopes={scope: grant.target.resource.scopes[scope] for scope in grant.target.scope},
            resource=grant.target.resource.uri,
            undo="You can revoke it at any time (sayso-approver grants revoke). "
            "Actions that it allowed are not undone.",
            why="A standing grant covers many requests, so it needs your signature.",
            gives=_safe(
                f"Until {until}, and {times} at most, {name} gets an access token for a request "
                "like this one without asking you. Every other request still needs your approval."
            ),
            agent=displays.agent_member(
                grant.party.id, grant.party.name, grant.party.owners, first_request=False
            ),
            user=grant.user,
            peer=grant.peer,
            asked_at=grant.asked_at,
            expires_at=grant.expires_at,
        )
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


def _facts(grant: StandingGrantDisplay) -> list[JsonValue]:
    bounds = grant.bounds
    facts = [_fact("Agent", grant.party.name)]
    facts.append(_fact("Agent key", "the current key; a new key ends the grant"))
    facts.append(_fact("At", grant.target.resource.uri))
    facts += [_fact("May use", f"{scope}") for scope in sorted(grant.target.scope)]
    facts += [_fact(label, value) for label, value in pattern_facts(grant.action, grant.pattern)]
    facts.append(_fact("How often", _times(bounds.uses)))
    if bounds.sum is not None:
        facts.append(_fact("Total", f"up to {money_text(bounds.sum)}"))
    facts.append(_fact("Until", time_text(bounds.until)))
    facts.append(_fact("Risk", f"up to {grant.risk}"))
    facts.append(_fact("Each use", "you are notified" if grant.notify else "only in your history"))
    facts.append(_fact("Would have covered", f"{grant.covered} of the last {grant.looked_at}"))
    return facts


def _times(uses: int) -> str:
    return "once" if uses == 1 else f"{uses:,} times"


def _fact(label: str, value: str) -> JsonValue:
    return {"label": display_safe(label), "value": _safe(value), "material": True}


def _safe(text: str) -> str:
    return display_safe(text, max_chars=_MAX_CHARACTERS)
