"""A command group with commands in other modules.

Owns: importing a command when it is called. Never: which commands there are.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class SplitGroup(click.Group):
    """A group that imports a command when it is called."""

    def __init__(self, *args: Any, elsewhere: Mapping[str, str], **kwargs: Any) -> None:  # noqa: ANN401  # click's
        """`elsewhere` has the module under `server.cli` and the name of each command."""
        super().__init__(*args, **kwargs)
        self._elsewhere = elsewhere

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted([*super().list_commands(ctx), *self._elsewhere])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in self._elsewhere:
            return super().get_command(ctx, cmd_name)
        module, _, name = self._elsewhere[cmd_name].rpartition(".")
        command: click.Command = getattr(import_module(f"server.cli.{module}"), name)
        return command
