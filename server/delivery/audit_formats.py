"""The formats of exported and streamed audit entries: JSON, and events of OCSF 1.8.

`unmapped` in an event contains the whole entry, so nothing is lost. Never: sending entries.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from server.audit_log.bundles import LoggedEntry
from server.services.audit.audit import ALARMS, Type

Format: TypeAlias = Callable[[LoggedEntry], str]
"""Formats an entry as one line of ASCII."""
_VERSION: Final = "1.8.0"
_CATEGORY: Final = 3
"""Identity and Access Management."""
_ACCOUNT, _AUTHENTICATION, _AUTHORIZATION, _ENTITY = 3001, 3002, 3003, 3004
_CLASSES: Final[Mapping[str, int]] = {
    **dict.fromkeys(("user", "password", "device", "passkey"), _ACCOUNT),
    **dict.fromkeys(
        ("sign_in", "session", "code", "refresh", "token", "exchange", "handle"), _AUTHENTICATION
    ),
    **dict.fromkeys(("approval", "consent", "standing_grant", "grant"), _AUTHORIZATION),
}
"""First word of an entry's type → the event class; all other types are about an entity."""
_OTHER: Final = 99
_ACTIVITIES: Final[Mapping[str, int]] = {
    Type.USER_ADDED: 1,
    Type.USER_ENABLED: 2,
    Type.USER_DISABLED: 5,
    Type.USER_UNLOCKED: 12,
    Type.PASSWORD_SET: 3,
    Type.DEVICE_ENROLLED: 10,
    Type.DEVICE_REVOKED: 11,
    Type.DEVICE_LOCKED: 9,
    Type.DEVICE_UNLOCKED: 12,
    Type.SIGN_IN_DONE: 1,
    Type.SIGN_IN_FAILED: 1,
    Type.SIGN_IN_ENDED: 2,
    Type.SESSION_REVOKED: 2,
    Type.TOKEN_ISSUED: 4,
    Type.TOKEN_REFUSED: 4,
    Type.EXCHANGE_REFUSED: 4,
    Type.APPROVAL_APPROVED: 1,
    Type.APPROVAL_ALLOWED: 1,
    Type.APPROVAL_DENIED: 1,
    Type.CONSENT_GIVEN: 1,
    Type.STANDING_GRANT_GIVEN: 1,
    Type.GRANT_GIVEN: 1,
    Type.GRANT_REFUSED: 1,
}
"""Type of an entry → its activity, for the first three classes."""
_ENTITY_ACTIVITIES: Final[Mapping[str, int]] = {
    **dict.fromkeys(("added", "issued", "opened", "initialized"), 1),
    **dict.fromkeys(("updated", "renamed", "secret_rotated", "auth_changed", "set", "replaced"), 3),
    "deleted": 4,
    "enabled": 8,
    "disabled": 9,
    "quarantined": 12,
}
"""Last word of an entry's type → the activity, for entities."""
_POLICY, _GROUP = 5, 3
_ENTITY_KINDS: Final[Mapping[str, int]] = {"policy": _POLICY, "group": _GROUP}
_SUCCESS, _FAILURE = 1, 2
_INFORMATIONAL, _MEDIUM = 1, 3


def json_line(entry: LoggedEntry) -> str:
    """Return an entry as JSON, with its position (`seq`) and hash (`leaf`)."""
    return json.dumps(_members(entry))


def ocsf_line(entry: LoggedEntry) -> str:
    """Return an entry as an OCSF event."""
    return json.dumps(ocsf_event(_members(entry)))


FORMATS: Final[Mapping[str, Format]] = {"json": json_line, "ocsf": ocsf_line}


def ocsf_event(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an OCSF event of the class that best fits the entry's type."""
    kind = str(entry["type"])
    noun, _, verb = kind.partition(".")
    event_class = _CLASSES.get(noun, _ENTITY)
    activities = _ENTITY_ACTIVITIES if event_class == _ENTITY else _ACTIVITIES
    activity = activities.get(verb if event_class == _ENTITY else kind, _OTHER)
    return {
        "category_uid": _CATEGORY,
        "class_uid": event_class,
        "activity_id": activity,
        "type_uid": event_class * 100 + activity,
        **({"activity_name": kind} if activity == _OTHER else {}),
        "time": entry["at"],
        "severity_id": _MEDIUM if kind in ALARMS else _INFORMATIONAL,
        "status_id": _FAILURE if verb in {"refused", "failed", "denied"} else _SUCCESS,
        "actor": _actor(str(entry["actor"])),
        **_target(event_class, noun, entry),
        "metadata": {
            "version": _VERSION,
            "product": {"name": "Sayso", "vendor_name": "Sayso"},
            "uid": entry["id"],
            "sequence": entry["seq"],
            "event_code": kind,
            "correlation_uid": entry["correlation_id"],
        },
        "unmapped": dict(entry),
    }


def _target(event_class: int, noun: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that name the event's target; they depend on the event class."""
    client, resource = entry.get("agent_id"), entry.get("resource")
    if event_class == _ENTITY:
        target_id = {"uid": uid} if (uid := client or resource or entry.get("subject")) else {}
        kind = _ENTITY_KINDS.get(noun, _OTHER)
        return {"entity": {"type": noun, "type_id": kind, "name": noun, **target_id}}
    user = {"user": {"uid": entry.get("subject") or client or entry["actor"]}}
    if event_class == _AUTHENTICATION:
        return {**user, "service": {"name": resource or "Sayso"}}
    if event_class == _AUTHORIZATION:
        return {**user, "privileges": [resource or entry.get("action") or noun]}
    return user


def _actor(actor: str) -> dict[str, Any]:
    """Return the actor: a user or a program (an agent, an app, a resource, or Sayso itself)."""
    kind, _, uid = actor.partition(":")
    if kind == "user":
        return {"user": {"uid": uid}}
    return {"app_name": kind, **({"app_uid": uid} if uid else {})}


def _members(entry: LoggedEntry) -> dict[str, Any]:
    return {"seq": entry.seq, "leaf": entry.leaf.hex(), **entry.members}
