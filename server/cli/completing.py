"""Completion of names and IDs, such as `sayso agents show <Tab>`.

Owns: what each parameter is completed from. Never: printing, which belongs to click; creating a
database.
"""

from collections.abc import Mapping

import click
from click.shell_completion import CompletionItem

from server.cli import errors
from server.cli.flags import sqlite_file
from server.cli.opening import opened
from server.cli.references import LISTS, ListIds
from server.settings import load


class _Listed(click.ParamType[object]):
    """A value that is completed from the database."""

    name = "listed"

    def __init__(self, found: ListIds) -> None:
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
        if found := LISTS.get(f"{noun} ID" if what == "ID" else what):
            parameter.type = _Listed(found)
    if isinstance(command, click.Group):
        context = click.Context(command, resilient_parsing=True)
        for name in command.list_commands(context):
            if within := command.get_command(context, name):
                complete_values(within, noun)


def _values(flags: Mapping[str, object], found: ListIds) -> list[str]:
    settings = load(flags)
    if settings.sqlalchemy_url.startswith("sqlite") and not sqlite_file(settings).exists():
        return []
    with opened(settings) as admin:
        return list(found(admin))
