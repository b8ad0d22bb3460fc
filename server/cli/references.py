"""IDs as people type them: in full, their beginning, or the fingerprint of a request.

Owns: which IDs there are for each parameter, finding the one that is meant, the error that
lists the matches. Never: guessing among several.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import click

from server.protocol.names import PREFIX_APPROVAL

if TYPE_CHECKING:
    from server.cli.opening import OpenInstallation

_FULL: Final = re.compile(r"sayso_[a-z]+_[a-z2-7]{16,}")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{4}-?[0-9a-f]{4}")
_SHORTEST: Final = 4
"""Fewer characters of an ID than this could mean the only one by accident."""
_MOST_LISTED: Final = 5
_MOST: Final = 200
"""How many requests and invitations are listed."""

ListIds: TypeAlias = "Callable[[OpenInstallation], Iterable[str]]"


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


def _names(nameds: Iterable[_Named]) -> Iterable[str]:
    """The names, and the IDs of what has a name that a shell would split."""
    return (record.name if quote(record.name) == record.name else record.id for record in nameds)


LISTS: Final[Mapping[str, ListIds]] = {
    "AGENT": lambda admin: _names(admin.agents.all()),
    "APP": lambda admin: _names(admin.apps.all()),
    "CLIENT": lambda admin: [*_names(admin.agents.all()), *_names(admin.apps.all())],
    "GROUP": lambda admin: _names(admin.groups.all()),
    "USER": lambda admin: _names(admin.users.all()),
    "URI": lambda admin: (resource.uri for resource in admin.resources.all()),
    "TYPE": lambda admin: (action.type for action in admin.actions.all()),
    "KID": lambda admin: (key.kid for key in admin.keys.all()),
    "agents ID": lambda admin: (
        invitation.id for invitation in admin.invitations.page("", _MOST).items
    ),
    "approvals ID": lambda admin: (
        approval.approval.id
        for approval in admin.oversight.approvals(state=None, agent=None, user=None, limit=_MOST)
    ),
    "consents ID": lambda admin: (
        consent.consent.id for consent in admin.consents.search(user=None, client=None, ended=False)
    ),
    "delegations ID": lambda admin: (
        delegation.delegation.id
        for delegation in admin.delegations.search(
            client=None, user=None, resource=None, ended=False, limit=_MOST
        )
    ),
    "deputies ID": lambda admin: (deputy.deputy.id for deputy in admin.deputies.all()),
    "devices ID": lambda admin: (device.id for device, _ in admin.oversight.devices(None)),
    "grants ID": lambda admin: (
        grant.grant.id for grant in admin.standing_grants.search(user=None, agent=None, ended=False)
    ),
    "incidents ID": lambda admin: (incident.incident.id for incident in admin.incidents.search()),
    "outbox ID": lambda admin: (str(message.message.id) for message in admin.outbox.state().dead),
}
"""By metavar. What an ID belongs to, the command group says."""


def full_id(admin: "OpenInstallation", noun: str, typed: str) -> str:
    """The ID that is meant, or what was typed if there is none. Raises click.UsageError."""
    listed = LISTS.get(f"{noun} ID")
    if listed is None or _FULL.fullmatch(typed):
        return typed
    found = _requests(admin, typed) if noun == "approvals" else _beginning([*listed(admin)], typed)
    if len(found) > 1:
        shown = ", ".join(found[:_MOST_LISTED]) + (" and more" if found[_MOST_LISTED:] else "")
        raise click.UsageError(f"{typed} is the beginning of {shown}. Type more of it.")
    return found[0] if found else typed


def _requests(admin: "OpenInstallation", typed: str) -> list[str]:
    if _FINGERPRINT.fullmatch(typed.lower()):
        return admin.oversight.ids_with_fingerprint(typed)
    rest = typed.removeprefix(PREFIX_APPROVAL)
    return admin.oversight.ids_beginning(PREFIX_APPROVAL + rest) if _is_long_enough(rest) else []


def _beginning(ids: Sequence[str], typed: str) -> list[str]:
    """The IDs that begin so, with or without the part that all IDs of their kind share.

    Raises click.UsageError if there may be others, because not all IDs are listed.
    """
    found = [full_id for full_id in ids if _begins(full_id, typed)]
    if found and len(ids) >= _MOST:
        raise click.UsageError(f"{typed} may be the beginning of several IDs. Type the whole ID.")
    return found


def _begins(full: str, typed: str) -> bool:
    own = full[full.rfind("_") + 1 :]
    rest = typed.removeprefix(full.removesuffix(own))
    return _is_long_enough(rest) and own.startswith(rest)


def _is_long_enough(rest: str) -> bool:
    return len(rest) >= _SHORTEST
