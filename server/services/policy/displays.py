"""The display text of requests, rendered from typed data and never from an agent's prose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.model.approval_requests import Display
from server.model.clients import Agent
from server.model.store import View
from server.model.users import User
from server.protocol import errors, json_text
from server.protocol.approvals.ceremonies import Ceremony, Step, TypeBack
from server.protocol.approvals.unusual import Code, Unusual
from server.protocol.json_text import JsonValue
from server.protocol.policy import rendering, typed_facts
from server.protocol.policy.action_types import MAX_HEADLINE, UNKNOWN_UNDO, ActionType
from server.protocol.policy.rendering import MAX_MATERIAL_VALUE, Fact
from server.protocol.policy.risks import Risk
from server.protocol.resources import scopes
from server.protocol.text import display_safe, pluralize
from server.protocol.times import rfc3339
from server.protocol.users import claims
from server.services.policy import builtin_action_types
from server.services.resources.targets import TokenTarget

MAX_FACTS: Final = 200
"""The maximum number of facts; a request with more is refused, never shown partially."""

NOTHING_COMPARED: Final = Unusual()

_NO_TEMPLATE = "This type has no template."


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayedAction:
    """An agent's or app's action to render."""

    target: TokenTarget
    details: Sequence[Mapping[str, JsonValue]]
    """The `authorization_details`, as sent."""
    actions: Sequence[ActionType]
    """The action type of each detail."""
    risk: Risk
    """The risk to display."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayedRequest(DisplayedAction):
    """The input for the display text of an agent's request."""

    agent: Agent
    owners: tuple[str, ...]
    user: User
    because: str
    """The reason that policy gives for asking."""
    ceremony: Ceremony
    """The steps to approve it."""
    binding_message: str | None
    first_request: bool
    peer: str
    token_seconds: int
    through: tuple[str, ...] = ()
    """The names of the prior actors, most recent first (RFC 8693 4.1)."""


@dataclass(frozen=True, slots=True)
class ActionTexts:
    """The rendered texts of an action."""

    title: str
    headline: str
    facts: tuple[JsonValue, ...]
    """All facts, material ones first."""
    risk_reason: str
    undo: str


def request_display(request: DisplayedRequest, unusual: Unusual = NOTHING_COMPARED) -> Display:
    """Return what approvers see of an agent's request."""
    risks = request.target.resource.scopes
    return Display(
        kind="action",
        risk=request.risk,
        risk_reason=_risk_reason(request),
        title=_title(request),
        headline=headline(request.target, request.details, request.actions),
        facts=_facts(request),
        scopes={name: risks[name] for name in request.target.scope},
        resource=request.target.resource.uri,
        unusual=unusual,
        undo=_undo(request),
        why=display_safe(request.because, max_chars=600),
        gives=_grant_text(request),
        agent={
            **agent_member(
                request.agent.id,
                request.agent.name,
                request.owners,
                first_request=request.first_request,
            ),
            "keys": [display_safe(key) for key in _keys(request.agent)],
            "through": [display_safe(name) for name in request.through],
        },
        agent_says=_safe_or_none(request.binding_message),
        user=request.user,
        peer=request.peer,
        type_back=_type_back(request, unusual),
    )


def action_texts(act: DisplayedAction) -> ActionTexts:
    """Render an action for pages, terminals and signed texts alike.

    Raises errors.InvalidAuthorizationDetails if it cannot be shown in full.
    """
    return ActionTexts(
        title=_title(act),
        headline=headline(act.target, act.details, act.actions),
        facts=tuple(_facts(act)),
        risk_reason=_risk_reason(act),
        undo=_undo(act),
    )


def canonical_display(display: Display, *, approval_id: str, asked_at: int, expires_at: int) -> str:
    """Return the display text, whose digest approvers sign: canonical JSON (RFC 8785)."""
    document: dict[str, JsonValue] = {
        "v": 1,
        "kind": display.kind,
        "approval": approval_id,
        "risk": str(display.risk),
        "risk_reason": display.risk_reason,
        "title": display.title,
        "headline": display.headline,
        "facts": list(display.facts),
        "scopes": [
            {"scope": name, "risk": str(risk)} for name, risk in sorted(display.scopes.items())
        ],
        "resource": display.resource,
        "unusual": signals_json(display.unusual),
        "compared": None if display.unusual is None else display.unusual.compared,
        "undo": display.undo,
        "why": display.why,
        "gives": display.gives,
        "agent": dict(display.agent),
        "agent_says": display.agent_says,
        "user": {"id": display.user.id, "name": display_safe(display.user.name)},
        "asked_from": display_safe(display.peer),
        "asked_at": rfc3339(asked_at),
        "expires_at": rfc3339(expires_at),
        "type_back": None if display.type_back is None else display.type_back.document(),
    }
    return json_text.canonical(document)


def agent_member(
    client_id: str, name: str, owners: Sequence[str], *, first_request: bool
) -> dict[str, JsonValue]:
    """Return the member `agent` of the display text."""
    return {
        "id": client_id,
        "name": display_safe(name),
        "owners": [display_safe(owner) for owner in owners],
        "first_request": first_request,
    }


def _keys(agent: Agent) -> tuple[str, ...]:
    """Return the IDs of the agent's credentials, which are not secret."""
    return (*(jwk["kid"] for jwk in agent.jwks), *(secret.id for secret in agent.secrets))


def signals_json(unusual: Unusual | None) -> list[JsonValue] | None:
    """Return the signals as JSON; None for a request that is not compared with history."""
    if unusual is None:
        return None
    return [
        {"code": str(signal.code), "severity": str(signal.severity), "text": signal.text}
        for signal in unusual.signals
    ]


def _type_back(request: DisplayedRequest, unusual: Unusual) -> TypeBack | None:
    if Step.TYPE_BACK not in request.ceremony:
        return None
    is_new = Code.NEW_TARGET in unusual
    return typed_facts.fact_to_type(request.actions, request.details, target_is_new=is_new)


def _safe_or_none(message: str | None) -> str | None:
    return None if message is None else display_safe(message)


def _title(request: DisplayedAction) -> str:
    if not request.actions:
        return "Access"
    return display_safe(" and ".join(dict.fromkeys(a.title for a in request.actions)))


def headline(
    target: TokenTarget, details: Sequence[Mapping[str, JsonValue]], actions: Sequence[ActionType]
) -> str:
    """Return the headline: one line that says what the action does."""
    if not actions:
        return _scope_headline(target)
    rest = f" and {len(actions) - 1} more" if len(actions) > 1 else ""
    action, detail = actions[0], details[0]
    if not action.has_template:
        detail = builtin_action_types.generic_details(action, target.resource.uri)
        action = builtin_action_types.generic()
    return rendering.render_headline(action, detail, room=MAX_HEADLINE - len(rest)) + rest


def _scope_headline(target: TokenTarget) -> str:
    """Return the headline of a request without details: scope names, or their number if long."""
    scope, uri = target.scope, target.resource.uri
    if scopes.about_person(scope):
        return f"Read your identity: {claims.in_words(scope)}"
    full_text = f"Use {', '.join(scope) or 'nothing but your name'} at {uri}"
    too_long = len(full_text) > MAX_HEADLINE and len(scope) > 1
    return display_safe(f"Use {len(scope)} scopes at {uri}" if too_long else full_text)


def _undo(request: DisplayedAction) -> str:
    if scopes.about_person(request.target.scope):
        return "The agent keeps the data that it has read."
    return " ".join(dict.fromkeys(action.undo for action in request.actions)) or UNKNOWN_UNDO


def _facts(request: DisplayedAction) -> list[JsonValue]:
    """Return all facts of all details, material ones first."""
    is_numbered = len(request.actions) > 1
    labeled_facts = [
        (fact, f"{index + 1}. {fact.label}" if is_numbered else fact.label)
        for index, (action, detail) in enumerate(zip(request.actions, request.details, strict=True))
        for fact in rendering.facts(action, detail)
    ]
    if len(labeled_facts) > MAX_FACTS or any(_is_too_long(fact) for fact, _ in labeled_facts):
        raise errors.InvalidAuthorizationDetails(
            f"Use at most {MAX_FACTS} values and shorter texts: approvers must see them in full."
        )
    labeled_facts.sort(key=lambda pair: not pair[0].material)
    return [
        {"label": label, "value": fact.value, "material": fact.material}
        for fact, label in labeled_facts
    ]


def _is_too_long(fact: Fact) -> bool:
    return fact.material and len(fact.value) > MAX_MATERIAL_VALUE


def _risk_reason(request: DisplayedAction) -> str:
    """Return the causes of the risk, and a note if a template is missing; "" if there are none."""
    parts = [(action.title, action.risk) for action in request.actions]
    parts += [(name, request.target.resource.scopes[name]) for name in request.target.scope]
    all_have_templates = all(action.has_template for action in request.actions)
    texts = (risk_causes(parts, request.risk), "" if all_have_templates else _NO_TEMPLATE)
    return display_safe(" ".join(filter(None, texts)))


def risk_causes(parts: Sequence[tuple[str, Risk]], risk: Risk) -> str:
    """Return the parts of a request that cause its risk; "" if all parts have that risk."""
    causes = [name for name, own in parts if own is risk]
    if not causes:
        return "Policy or the agent raised the risk."
    if len(causes) == len(parts):
        return ""
    return f"The risk comes from {' and '.join(dict.fromkeys(causes))}."


def _grant_text(request: DisplayedRequest) -> str:
    if scopes.about_person(request.target.scope):
        return _identity_grant_text(request)
    scope = ", ".join(request.target.scope) or "no scope"
    what = "for this action" if request.details else "for anything these scopes allow"
    return display_safe(
        f"One access token for {request.target.resource.uri}, "
        f"valid {duration_text(request.token_seconds)}, with {scope}, {what}. No refresh token.",
        max_chars=2_000,
    )


def _identity_grant_text(request: DisplayedRequest) -> str:
    return display_safe(
        f"An ID token, and one access token for {request.target.resource.uri}, valid "
        f"{duration_text(request.token_seconds)}, with {', '.join(request.target.scope)}: it "
        f"reveals {claims.in_words(request.target.scope)}, and gives no other access. No refresh "
        "token.",
        max_chars=2_000,
    )


def duration_text(seconds: int) -> str:
    """Return a duration in words."""
    hours, remainder = divmod(seconds, 3_600)
    if hours > 1 and not remainder:
        return f"{hours} hours"
    minutes, remainder = divmod(seconds, 60)
    if remainder or not minutes:
        return pluralize(seconds, "second")
    return pluralize(minutes, "minute")


def is_first_request(view: View, client_id: str, user_id: str) -> bool:
    """Return whether the client has never asked this user under its current name."""
    agent = view.directory.agent(client_id)
    since = 0 if agent is None else agent.named_at
    return not view.approvals.asked_before(client_id, user_id, since)
