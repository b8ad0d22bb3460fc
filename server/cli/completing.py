"""Completion of names and IDs, such as `sayso agents show <Tab>`.

Owns: the source of the values for each parameter. Never: printing, which click does; creating a
database.
"""

from collections.abc import Mapping

import click
from click.shell_completion import CompletionItem

from server.cli import errors
from server.cli.flags import sqlite_file
from server.cli.opening import open_installation
from server.cli.references import LISTS, ListIds
from server.settings import load


class _CompletedValue(click.ParamType[object]):
    """A value that is completed from the database."""

    name = "listed"

    def __init__(self, list_ids: ListIds) -> None:
        self._list_ids = list_ids

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002  # click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """The values that start with the typed text; none if the database cannot be read."""
        try:
            values = _values(ctx.find_root().params, self._list_ids)
        except Exception as error:
            if errors.error_kind(error).code == "internal":
                raise
            return []
        return [CompletionItem(value) for value in values if value.startswith(incomplete)]


def complete_values(command: click.Command, noun: str) -> None:
    """Complete the parameters of a command and its subcommands from the database."""
    for parameter in command.params:
        label = parameter.metavar or (parameter.name or "").upper()
        if list_ids := LISTS.get(f"{noun} ID" if label == "ID" else label):
            parameter.type = _CompletedValue(list_ids)
    if isinstance(command, click.Group):
        context = click.Context(command, resilient_parsing=True)
        for name in command.list_commands(context):
            if subcommand := command.get_command(context, name):
                complete_values(subcommand, noun)


def _values(flags: Mapping[str, object], list_ids: ListIds) -> list[str]:
    settings = load(flags)
    if settings.sqlalchemy_url.startswith("sqlite") and not sqlite_file(settings).exists():
        return []
    with open_installation(settings) as admin:
        return list(list_ids(admin))
