"""Whether a change grants more access, member by member.

Owns: comparing a record before and after. Never: deciding who may make the change.

A change to a member that is not listed here is treated as more access, so new members are protected
by default.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, Final, TypeAlias

from server.model.approvers import Group
from server.model.clients import Agent, App
from server.model.devices import Device
from server.model.policy import ActionRow, PolicyRow
from server.model.resources import Resource
from server.model.users import User
from server.services.approvers.group_members import GROUP_MEMBERS
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.clients.app_members import APP_MEMBERS
from server.services.members import Members, Widens, later, never_widens, widens_by_name
from server.services.resources.resource_members import RESOURCE_MEMBERS, loosens_requirements
from server.services.users.user_members import USER_MEMBERS

Governed: TypeAlias = Agent | App | Device | Group | User | Resource | ActionRow | PolicyRow
"""A record that administrators can change."""
_Comparison: TypeAlias = Callable[[Any, Any], bool]

CREATED: Final = "created"
"""The result for a new record."""


def widened_members(
    before: Governed | None, after: Governed | None, *, default_seconds: int
) -> frozenset[str]:
    """Return the members in which this change grants more access.

    `default_seconds` is the default lifetime of a token.
    """
    if after is None:
        return frozenset()
    if before is None:
        return frozenset({CREATED})
    comparisons = {**_COMPARISONS[type(after)], "token_seconds": _longer_tokens(default_seconds)}
    changed = [f.name for f in fields(after) if getattr(before, f.name) != getattr(after, f.name)]
    return frozenset(name for name in changed if comparisons.get(name, _always)(before, after))


def version(record: Governed) -> str:
    """Return a short hash of a record, without the last use of secrets and keys.

    A policy has a version number instead.
    """
    if isinstance(record, PolicyRow):
        return str(record.version)
    members = asdict(record)
    members.pop("key_uses", None)
    for secret in members.get("secrets", ()):
        del secret["last_used_at"]
    text = json.dumps(members, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _always(_before: Governed, _after: Governed) -> bool:
    return True


def _member_comparisons(members: Members) -> dict[str, _Comparison]:
    """Convert the checks in the member rows to comparisons of two records."""
    return {name: _comparison(name, widens) for name, widens in widens_by_name(members).items()}


def _comparison(name: str, widens: Widens) -> _Comparison:
    return lambda before, after: widens(getattr(before, name), getattr(after, name))


def _is_active(_before: Device, after: Device) -> bool:
    return after.state == "active"


def _is_enabled(_before: Agent | App | User, after: Agent | App | User) -> bool:
    return after.state == "enabled"


def _fewer_limits(before: Agent, after: Agent) -> bool:
    """Return whether a limit was removed or relaxed at a resource that the agent still has."""
    return any(
        uri not in after.only or bool(set(after.only[uri]) - set(scopes))
        for uri, scopes in before.only.items()
        if uri in after.resources
    )


def _longer_tokens(default: int) -> _Comparison:
    """Return a comparison: the limit was raised or removed, or a new one exceeds the default."""

    def is_longer(before: Agent | Resource, after: Agent | Resource) -> bool:
        old = default if before.token_seconds is None else before.token_seconds
        return after.token_seconds is None or after.token_seconds > old

    return is_longer


def _more_secrets(before: Agent | App | Resource, after: Agent | App | Resource) -> bool:
    """Return whether a secret was added, or an expiry was postponed or removed."""
    expiries = {secret.id: secret.expires_at for secret in before.secrets}
    return any(
        secret.id not in expiries or later(expiries[secret.id], secret.expires_at)
        for secret in after.secrets
    )


_COMPARISONS: Mapping[type, Mapping[str, _Comparison]] = {
    Agent: {
        **_member_comparisons(AGENT_MEMBERS),
        "only": _fewer_limits,
        "secrets": _more_secrets,
        "key_uses": never_widens,
        "named_at": never_widens,
        "state": _is_enabled,
    },
    App: {
        **_member_comparisons(APP_MEMBERS),
        "secrets": _more_secrets,
        "state": _is_enabled,
        "claimed_name": never_widens,
    },
    User: {
        **_member_comparisons(USER_MEMBERS),
        "state": _is_enabled,
        "disabled_at": _is_enabled,
    },
    Group: _member_comparisons(GROUP_MEMBERS),
    Resource: {
        **_member_comparisons(RESOURCE_MEMBERS),
        "requires": loosens_requirements,
        "secrets": _more_secrets,
    },
    ActionRow: {},
    PolicyRow: {},
    Device: {"state": _is_active},
}
