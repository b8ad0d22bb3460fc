"""The display document in the server's JSON.

Owns: its members, parsed strictly and made safe to draw. Never: HTTP; whether its digest matches
(`wire.py`).
"""

from dataclasses import replace

from approver_tui.client.errors import WireError
from approver_tui.client.reading import JsonObject, read_as
from approver_tui.state.approvals.approvals import Anomaly, Display, Scope
from approver_tui.state.approvals.requesting_agent import RequestingAgent
from approver_tui.state.text import SafeText

_DEFAULT_SEVERITY = SafeText("warning")
"""The severity of a signal from an older server, which does not send one."""


def read_display(members: JsonObject) -> Display:
    """Return the display document, made safe to draw."""
    if members.integer("v") != 1:
        raise WireError(members.path_of("v"), "is a version that this program does not support")
    user = members.child("user")
    return read_as(
        Display,
        members,
        scopes=tuple(
            read_as(Scope, scope, name=scope.safe("scope")) for scope in members.children("scopes")
        ),
        unusual=_read_unusual(members),
        agent=_read_agent(members.child("agent")),
        user_id=user.text("id"),
        user_name=user.safe("name"),
    )


def _read_unusual(members: JsonObject) -> tuple[Anomaly, ...] | None:
    """Return the anomalies, or None if null. Raises WireError if the member is missing."""
    if members.is_null("unusual"):
        return None
    return _read_signals(members, "unusual")


def with_current_signals(display: Display, members: JsonObject | None) -> Display:
    """Return the display with the current signals, which the server sends alongside it."""
    if members is None:
        return display
    compared = members.safe("compared", max_len=4_000)
    return replace(display, unusual=_read_signals(members, "signals"), compared=compared)


def _read_signals(members: JsonObject, name: str) -> tuple[Anomaly, ...]:
    return tuple(
        read_as(Anomaly, child, severity=child.safe_or_none("severity") or _DEFAULT_SEVERITY)
        for child in members.children(name)
    )


def _read_agent(members: JsonObject) -> RequestingAgent:
    """Return the agent; a missing list is empty, as for requests without an agent."""
    names = {
        name: members.safe_texts(name) if name in members.values else ()
        for name in ("owners", "keys", "through")
    }
    return read_as(RequestingAgent, members, **names)
