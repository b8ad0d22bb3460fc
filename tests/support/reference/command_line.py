"""The reference page of both command lines, generated from the commands."""

from collections.abc import Iterator
from enum import IntEnum

import click

from approver_tui.cli import exits
from approver_tui.cli.main import cli as approver
from sayso.ask import Exit as AskExit
from server.cli.errors import Exit
from server.cli.main import cli as sayso
from tests.support.reference.markdown import GENERATED, code, member_docs, table

_HEAD = """\
# Command line

{generated}
For administrators (`sayso`) and approvers (`sayso-approver`). This page lists every command with
its options, and the exit codes. `COMMAND --help` prints the same text. To get started, read
[administer from the command line](../administer.md) or [answer from a
shell](../approve-from-a-shell.md).

- [Commands of `sayso`](#sayso), [its exit codes](#exit-codes), [those of `sayso
  ask`](#exit-codes-of-sayso-ask)
- [Commands of `sayso-approver`](#sayso-approver), [its exit
  codes](#exit-codes-of-sayso-approver)
"""

_RESERVED = """\
10, 11 and 14 are reserved for commands that wait for an answer. `sayso ask` uses 11 and 14.
"""


def page() -> str:
    """Return the page with all commands of both programs."""
    return "\n".join(
        [
            _HEAD.format(generated=GENERATED),
            "## `sayso`\n",
            _options(sayso),
            *_sections(sayso, "sayso"),
            "## Exit codes\n",
            _exits(Exit, "exit of `sayso`"),
            "## Exit codes of `sayso ask`\n",
            _exits(AskExit, "exit of `sayso ask`"),
            "## `sayso-approver`\n",
            _options(approver),
            *_sections(approver, "sayso-approver"),
            "## Exit codes of `sayso-approver`\n",
            _exits(exits.Exit, "exit of `sayso-approver`"),
            _RESERVED,
        ]
    )


def commands(group: click.Group, words: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command that can be run, with the words that run it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield f"{words} {name}", command
            yield from commands(command, f"{words} {name}")
        elif command is not None:
            yield f"{words} {name}", command


def _sections(group: click.Group, words: str) -> Iterator[str]:
    for called, command in commands(group, words):
        usage = " ".join([called, *_arguments(command)])
        yield f"### `{called}`\n\n```\n{usage}\n```\n\n{_help(command)}\n"
        if options := _options(command):
            yield options


def _arguments(command: click.Command) -> list[str]:
    pieces = command.collect_usage_pieces(click.Context(command))
    return [piece for piece in pieces if piece]


def _help(command: click.Command) -> str:
    paragraphs = (command.help or "").replace("\b", "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _options(command: click.Command) -> str:
    context = click.Context(command)
    records = [
        record
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
        if (record := option.get_help_record(context)) is not None
    ]
    return table(("option", "description"), [(code(flags), text) for flags, text in records])


def _exits(codes: type[IntEnum], head: str) -> str:
    docs = member_docs(codes)
    return table(
        (head, "means"), [(str(int(exit_code)), docs[exit_code.name]) for exit_code in codes]
    )
