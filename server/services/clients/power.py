"""Whether a change grants more access, member by member.

Owns: comparing a record before and after. Never: who may make the change.

A member that is not listed here counts as more access whenever it changes, so a new member is
guarded from the start.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from server.model.approvers import Group
from server.model.clients import Agent, App
from server.model.devices import Device
from server.model.policy import ActionRow
from server.model.resources import Resource
from server.model.users import User
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.clients.app_members import APP_MEMBERS
from server.services.members import Members, Widens, widening

Governed: TypeAlias = Agent | App | Device | Group | User | Resource | ActionRow
"""A record that administrators change."""
_Judge: TypeAlias = Callable[[Any, Any], bool]

CREATED: Final = "created"
"""Stands for a record that is new."""


def widened_members(
    before: Governed | None, after: Governed | None, *, usual_seconds: int
) -> frozenset[str]:
    """Return the members in which this change grants more access.

    `usual_seconds` is the default lifetime of a token.
    """
    if after is None:
        return frozenset()
    if before is None:
        return frozenset({CREATED})
    judges = {**_JUDGES[type(after)], "token_seconds": _longer_tokens(usual_seconds)}
    changed = [f.name for f in fields(after) if getattr(before, f.name) != getattr(after, f.name)]
    return frozenset(name for name in changed if judges.get(name, _always)(before, after))


def version(record: Governed) -> str:
    """Return a short hash of a record, without the last use of secrets and keys."""
    members = asdict(record)
    members.pop("key_uses", None)
    for secret in members.get("secrets", ()):
        del secret["last_used_at"]
    text = json.dumps(members, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _always(_before: Governed, _after: Governed) -> bool:
    return True


def _by_members(members: Members) -> dict[str, _Judge]:
    """Return the comparisons of the member rows, as comparisons of two records."""
    return {name: _of_value(name, widens) for name, widens in widening(members).items()}


def _of_value(name: str, widens: Widens) -> _Judge:
    return lambda before, after: widens(getattr(before, name), getattr(after, name))


def _more(name: str) -> _Judge:
    """The set has a new element."""
    read = attrgetter(name)
    return lambda before, after: bool(set(read(after)) - set(read(before)))


def _never(_before: Governed, _after: Governed) -> bool:
    return False


def _is_active(_before: Device, after: Device) -> bool:
    return after.state == "active"


def _is_enabled(_before: Agent | App | User, after: Agent | App | User) -> bool:
    return after.state == "enabled"


def _fewer_limits(before: Agent, after: Agent) -> bool:
    """A limit at a resource that it still has was removed or relaxed."""
    return any(
        uri not in after.only or bool(set(after.only[uri]) - set(may))
        for uri, may in before.only.items()
        if uri in after.resources
    )


def _longer_tokens(usual: int) -> _Judge:
    """The limit was raised or removed, or a first limit is above the default."""

    def judge(before: Agent | Resource, after: Agent | Resource) -> bool:
        old = usual if before.token_seconds is None else before.token_seconds
        return after.token_seconds is None or after.token_seconds > old

    return judge


def _more_secrets(before: Agent | App | Resource, after: Agent | App | Resource) -> bool:
    """A secret is new, or works longer."""
    ends = {secret.id: secret.expires_at for secret in before.secrets}
    return any(
        secret.id not in ends or _lasts_longer(ends[secret.id], secret.expires_at)
        for secret in after.secrets
    )


def _new_address(_before: User, after: User) -> bool:
    return after.email is not None


def _new_backup(_before: User, after: User) -> bool:
    return after.backup is not None


def _easier_scopes(before: Resource, after: Resource) -> bool:
    """A scope is new, or has a lower risk."""
    return any(
        name not in before.scopes or risk.rank < before.scopes[name].rank
        for name, risk in after.scopes.items()
    )


def _is_opened(_before: Resource, after: Resource) -> bool:
    return after.unknown_clients


def _fewer_needs(before: Resource, after: Resource) -> bool:
    """A remaining scope requires another action type, or none."""
    return any(
        scope in after.scopes and after.requires.get(scope) != kind
        for scope, kind in before.requires.items()
    )


def _lasts_longer(before: int | None, after: int | None) -> bool:
    return before is not None and (after is None or after > before)


_JUDGES: Mapping[type, Mapping[str, _Judge]] = MappingProxyType(
    {
        Agent: {
            **_by_members(AGENT_MEMBERS),
            "only": _fewer_limits,
            "secrets": _more_secrets,
            "key_uses": _never,
            "named_at": _never,
            "state": _is_enabled,
        },
        App: {
            **_by_members(APP_MEMBERS),
            "secrets": _more_secrets,
            "state": _is_enabled,
            "claimed_name": _never,
        },
        User: {
            "roles": _more("roles"),
            "state": _is_enabled,
            "email": _new_address,
            "backup": _new_backup,
            "disabled_at": _is_enabled,
        },
        Group: {"members": _more("members")},
        Resource: {
            "scopes": _easier_scopes,
            "requires": _fewer_needs,
            "secrets": _more_secrets,
            "default_scopes": _never,
            "unknown_clients": _is_opened,
        },
        ActionRow: {},
        Device: {"state": _is_active},
    }
)
