"""Completion of names and IDs, such as `sayso agents show <Tab>`.

Owns: what each metavar lists. Never: printing, which belongs to click; creating a database.
"""

from collections.abc import Callable, Iterable, Mapping
from shlex import quote
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias

import click
from click.shell_completion import CompletionItem

from server.cli import errors
from server.cli.flags import sqlite_file
from server.cli.opening import OpenInstallation, opened
from server.settings import load

_MOST: Final = 200
"""How many requests and invitations are listed."""

_List: TypeAlias = Callable[[OpenInstallation], Iterable[str]]


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


def _names(found: Iterable[_Named]) -> Iterable[str]:
    """The names, and the IDs of what has a name that a shell would split."""
    return (one.name if quote(one.name) == one.name else one.id for one in found)


_LISTS: Final[Mapping[str, _List]] = MappingProxyType(
    {
        "AGENT": lambda admin: _names(admin.agents.all()),
        "APP": lambda admin: _names(admin.apps.all()),
        "CLIENT": lambda admin: [*_names(admin.agents.all()), *_names(admin.apps.all())],
        "GROUP": lambda admin: _names(admin.groups.all()),
        "USER": lambda admin: _names(admin.users.all()),
        "URI": lambda admin: (one.uri for one in admin.resources.all()),
        "TYPE": lambda admin: (one.type for one in admin.actions.all()),
        "KID": lambda admin: (one.kid for one in admin.keys.all()),
        "agents ID": lambda admin: (one.id for one in admin.invitations.page("", _MOST).items),
        "approvals ID": lambda admin: (
            one.approval.id
            for one in admin.oversight.approvals(state=None, agent=None, user=None, limit=_MOST)
        ),
        "consents ID": lambda admin: (
            one.consent.id for one in admin.consents.search(user=None, client=None, ended=False)
        ),
        "deputies ID": lambda admin: (one.deputy.id for one in admin.deputies.all()),
        "devices ID": lambda admin: (device.id for device, _ in admin.oversight.devices(None)),
        "grants ID": lambda admin: (
            one.grant.id for one in admin.standing_grants.search(user=None, agent=None, ended=False)
        ),
        "incidents ID": lambda admin: (one.incident.id for one in admin.incidents.search()),
        "outbox ID": lambda admin: (str(one.message.id) for one in admin.outbox.state().dead),
    }
)
"""By metavar. What an ID belongs to, the command group says."""


class _Listed(click.ParamType[object]):
    """A value that is completed from the database."""

    name = "listed"

    def __init__(self, found: _List) -> None:
        self._found = found

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002  # click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """The values that begin so; none if the database cannot be read."""
        try:
            values = _values(ctx.find_root().params, self._found)
        except Exception as error:
            if errors.meaning(error).code == "internal":
                raise
            return []
        return [CompletionItem(value) for value in values if value.startswith(incomplete)]


def complete_values(command: click.Command, noun: str) -> None:
    """Let the parameters of a command, and of those in it, be completed from the database."""
    for parameter in command.params:
        what = parameter.metavar or (parameter.name or "").upper()
        if found := _LISTS.get(f"{noun} ID" if what == "ID" else what):
            parameter.type = _Listed(found)
    if isinstance(command, click.Group):
        context = click.Context(command, resilient_parsing=True)
        for name in command.list_commands(context):
            if within := command.get_command(context, name):
                complete_values(within, noun)


def _values(flags: Mapping[str, object], found: _List) -> list[str]:
    settings = load(flags)
    if settings.sqlalchemy_url.startswith("sqlite") and not sqlite_file(settings).exists():
        return []
    with opened(settings) as admin:
        return list(found(admin))
