"""The entrance of `sayso-approver`: which verbs there are, and the one place errors end.

Owns: the table of verbs, loaded only when used. Never: what a verb does.
"""

import importlib
import sys
from collections.abc import Sequence
from types import MappingProxyType
from typing import NoReturn

import click

from approver_tui.cli.exits import report
from approver_tui.client.errors import ClientError
from approver_tui.client.hardening import keep_memory_private

VERBS = MappingProxyType(
    {
        "login": "Make this machine one of your devices.",
        "logout": "Sign this device out and forget its keys.",
        "whoami": "Show who is logged in, and where.",
        "status": "Show whether everything works, and what weakens it.",
        "inbox": "List what waits for your answer.",
        "show": "Show one request in full.",
        "watch": "Print what happens, as it happens.",
        "approve": "Say yes to one request.",
        "deny": "Say no to one request, and why.",
        "report": "Say that you did not ask for something; stops the agent.",
        "history": "List what was decided.",
        "consents": "List what you let agents and apps do without asking.",
        "revoke": "Take a consent back.",
        "devices": "List your devices; revoke, unlock or vouch for one.",
        "password": "The password with which you sign in to apps.",
        "user-code": "The code that agents need before they may ask you.",
    }
)
"""Every verb, in the order of the help page; `_module_of` says where each is."""


_EXPECTED = (
    click.ClickException,
    click.Abort,
    ClientError,
    KeyboardInterrupt,
    OSError,
    UnicodeError,  # bytes on stdin or in an argument that are no text
)


def _module_of(verb: str) -> str:
    return f"approver_tui.cli.{verb.replace('-', '_')}"


class LazyVerbs(click.Group):
    """A group that imports a verb when it is called, and none to print the help page."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names of the verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a verb, imported now."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(_module_of(cmd_name)).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table of verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=LazyVerbs, invoke_without_command=True)
@click.version_option(package_name="sayso", prog_name="sayso-approver")
@click.pass_context
def cli(context: click.Context) -> None:
    """See what AI agents want to do in your name, and answer.

    Without a command, and in a terminal, the app opens.
    """
    if context.invoked_subcommand is not None:
        return
    if sys.stdin.isatty() and sys.stdout.isatty():
        importlib.import_module("approver_tui.app").run()
    else:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit code."""
    keep_memory_private()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(args=given, prog_name="sayso-approver", standalone_mode=False)
    except _EXPECTED as error:
        sys.exit(report(error, as_json="--json" in given or "--jsonl" in given))
    sys.exit(code if isinstance(code, int) else 0)
