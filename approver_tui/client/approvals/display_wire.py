"""The display document in the server's JSON.

Owns: its members, parsed strictly and made safe to draw. Never: HTTP; whether its digest matches
(`wire.py`).
"""

from dataclasses import replace

from approver_tui.client.approvals import ceremony_wire
from approver_tui.client.errors import WireError
from approver_tui.client.reading import JsonObject
from approver_tui.state.approvals.approvals import (
    Anomaly,
    Display,
    Fact,
    Kind,
    RequestingAgent,
    Scope,
)
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText, display_safe

_MAX_TEXT = 4_000
_MAX_LINES = 40
_DEFAULT_SEVERITY = SafeText("warning")
"""Members that older versions did not send; then all signals are drawn alike."""


def read_display(members: JsonObject) -> Display:
    """Return the display document, made safe to draw."""
    if members.integer("v") != 1:
        raise WireError(members.at("v"), "is a version that this program does not know")
    user = members.child("user")
    return Display(
        approval=members.text("approval"),
        kind=members.choice("kind", Kind),
        risk=members.choice("risk", Risk),
        risk_reason=members.safe("risk_reason", max_len=_MAX_TEXT),
        title=members.safe("title"),
        headline=members.safe("headline", max_len=500),
        facts=tuple(_read_fact(fact) for fact in members.children("facts")),
        scopes=tuple(_read_scope(scope) for scope in members.children("scopes")),
        resource=members.safe("resource", max_len=_MAX_TEXT),
        unusual=_read_unusual(members),
        compared=members.safe_or_none("compared", max_len=_MAX_TEXT),
        undo=members.safe("undo", max_len=_MAX_TEXT, max_lines=_MAX_LINES),
        why=members.safe("why", max_len=_MAX_TEXT, max_lines=_MAX_LINES),
        gives=members.safe("gives", max_len=_MAX_TEXT, max_lines=_MAX_LINES),
        agent=_read_agent(members.child("agent")),
        agent_says=members.safe_or_none("agent_says", max_len=_MAX_TEXT),
        user_id=user.text("id"),
        user_name=user.safe("name"),
        asked_from=members.safe("asked_from"),
        asked_at=members.time("asked_at"),
        expires_at=members.time("expires_at"),
        type_back=ceremony_wire.read_type_back(members.child_or_none("type_back")),
    )


def _read_fact(members: JsonObject) -> Fact:
    return Fact(
        label=members.safe("label"),
        value=members.safe("value", max_len=_MAX_TEXT, max_lines=_MAX_LINES),
        material=members.boolean("material"),
    )


def _read_unusual(members: JsonObject) -> tuple[Anomaly, ...] | None:
    """Return what is unusual; a document without that member does not count as unremarkable."""
    if members.is_null("unusual"):
        return None
    return _read_signals(members, "unusual")


def with_current_signals(display: Display, members: JsonObject | None) -> Display:
    """Return the display with the current signals, which the server sends next to the document."""
    if members is None:
        return display
    compared = members.safe("compared", max_len=_MAX_TEXT)
    return replace(display, unusual=_read_signals(members, "signals"), compared=compared)


def _read_signals(members: JsonObject, name: str) -> tuple[Anomaly, ...]:
    return tuple(
        Anomaly(
            code=each.safe("code"),
            text=each.safe("text", max_len=_MAX_TEXT),
            severity=each.safe_or_none("severity") or _DEFAULT_SEVERITY,
        )
        for each in members.children(name)
    )


def _read_scope(members: JsonObject) -> Scope:
    return Scope(name=members.safe("scope"), risk=members.choice("risk", Risk))


def _read_agent(members: JsonObject) -> RequestingAgent:
    return RequestingAgent(
        id=members.safe("id"),
        name=members.safe("name"),
        owners=_names(members, "owners"),
        first_request=members.boolean("first_request"),
        keys=_names(members, "keys"),
        through=_names(members, "through"),
    )


def _names(members: JsonObject, name: str) -> tuple[SafeText, ...]:
    """Return a list of names; a missing one is empty, as for requests without an agent."""
    found = members.texts(name) if name in members.values else ()
    return tuple(display_safe(each, max_len=200) for each in found)
