"""Resolves IDs as people type them: in full, by prefix, or by a request's fingerprint.

Owns: the IDs available for each parameter, finding the right one, and the error that lists
several matches. Never: choosing among several matches.
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
_MIN_LENGTH: Final = 4
"""A shorter prefix of an ID could match by accident."""
_MAX_SHOWN: Final = 5
_MAX_LISTED: Final = 200
"""The maximum number of requests and invitations that are listed."""

ListIds: TypeAlias = "Callable[[OpenInstallation], Iterable[str]]"


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


def _names(records: Iterable[_Named]) -> Iterable[str]:
    """The name of each record, or its ID if a shell would split the name."""
    return (record.name if quote(record.name) == record.name else record.id for record in records)


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
        invitation.id for invitation in admin.invitations.page("", _MAX_LISTED).items
    ),
    "approvals ID": lambda admin: (
        approval.approval.id
        for approval in admin.oversight.approvals(
            state=None, agent=None, user=None, limit=_MAX_LISTED
        )
    ),
    "consents ID": lambda admin: (
        consent.consent.id for consent in admin.consents.search(user=None, client=None, ended=False)
    ),
    "delegations ID": lambda admin: (
        delegation.delegation.id
        for delegation in admin.delegations.search(
            client=None, user=None, resource=None, ended=False, limit=_MAX_LISTED
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
"""How to list the values of a parameter, by its metavar; for an ID, also by its command group."""


def full_id(admin: "OpenInstallation", noun: str, typed: str) -> str:
    """The ID that matches, or the typed text if none does. Raises click.UsageError."""
    list_ids = LISTS.get(f"{noun} ID")
    if list_ids is None or _FULL.fullmatch(typed):
        return typed
    matching = (
        _requests(admin, typed) if noun == "approvals" else _with_prefix([*list_ids(admin)], typed)
    )
    if len(matching) > 1:
        examples = ", ".join(matching[:_MAX_SHOWN]) + (" and more" if matching[_MAX_SHOWN:] else "")
        raise click.UsageError(f"{typed} matches several IDs: {examples}. Type more characters.")
    return matching[0] if matching else typed


def _requests(admin: "OpenInstallation", typed: str) -> list[str]:
    if _FINGERPRINT.fullmatch(typed.lower()):
        return admin.oversight.ids_with_fingerprint(typed)
    rest = typed.removeprefix(PREFIX_APPROVAL)
    return admin.oversight.ids_beginning(PREFIX_APPROVAL + rest) if _is_long_enough(rest) else []


def _with_prefix(ids: Sequence[str], typed: str) -> list[str]:
    """The IDs that start with the typed text, with or without the prefix of their kind.

    Raises click.UsageError if there may be other matches, because not all IDs are listed.
    """
    matching = [full_id for full_id in ids if _starts_with(full_id, typed)]
    if matching and len(ids) >= _MAX_LISTED:
        raise click.UsageError(f"{typed} might match several IDs. Type the whole ID.")
    return matching


def _starts_with(full: str, typed: str) -> bool:
    random_part = full[full.rfind("_") + 1 :]
    rest = typed.removeprefix(full.removesuffix(random_part))
    return _is_long_enough(rest) and random_part.startswith(rest)


def _is_long_enough(rest: str) -> bool:
    return len(rest) >= _MIN_LENGTH
