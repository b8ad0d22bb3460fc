"""The entry point of `sayso`: the table of command groups, and the handler of all errors.

Owns: the table of commands. Never: what a command does; its module is imported when it is used.
"""

import atexit
import gc
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

import click
from click.shell_completion import CompletionItem

from server import lazy_imports
from server.cli.split_group import SplitGroup


class Group(NamedTuple):
    """A command group: its module under `server.cli`, its help, and its name in the module."""

    module: str
    help: str
    name: str = "command"


GROUPS: Final = {
    "serve": Group("operations.serve", "Run the server."),
    "init": Group("operations.init", "Create the keys and the first administrator."),
    "users": Group("users.users", "Manage users and their roles."),
    "agents": Group("clients.agents", "Manage agents: permissions, credentials, state."),
    "apps": Group("clients.apps", "Manage apps: redirect URIs, permissions, state."),
    "groups": Group("approvers.groups", "Manage groups of approvers."),
    "resources": Group("resources.resources", "Manage protected APIs and their scopes."),
    "actions": Group("policy.action_types", "Manage action types, which explain requests."),
    "outbox": Group("notifications.outbox", "List and retry outbox messages."),
    "policy": Group("policy.policy", "Manage policy: what is allowed, asked or denied."),
    "approvals": Group("approvals.approvals", "List, show and withdraw requests."),
    "deputies": Group("approvers.deputies", "List and revoke deputies."),
    "consents": Group("consents.consents", "List and revoke consents."),
    "grants": Group("standing_grants.grants", "List and revoke standing grants."),
    "incidents": Group("incidents.incidents", "List, show and close incidents."),
    "devices": Group("devices.devices", "List and revoke users' devices."),
    "delegations": Group("tokens.delegations", "List, show and revoke issued tokens."),
    "token": Group("tokens.token", "Inspect or revoke a token; explain a refused exchange."),
    "keys": Group("tokens.keys", "List and rotate signing keys."),
    "audit": Group("audit.audit", "Read and verify the audit log."),
    "db": Group("operations.db", "Upgrade, back up and restore the database."),
    "config": Group("operations.config", "Show each setting and its source."),
    "doctor": Group("operations.doctor", "Find problems and how to fix them."),
    "gateway": Group("operations.sdk_programs", "Protect an existing MCP server.", "gateway"),
    "ask": Group("operations.sdk_programs", "Ask a person from a shell, as an agent.", "ask"),
    "mcp": Group("operations.sdk_programs", "Let an agent ask for approval by MCP.", "mcp"),
    "completion": Group("operations.completion", "Print the shell completion script."),
    "demo": Group("operations.demo", "Try Sayso on this machine with a scripted agent."),
}
"""Every command group, in the order of the help page."""

PROGRAM: Final = "sayso"
COMPLETION_VARIABLE: Final = "_SAYSO_COMPLETE"
"""The environment variable that a shell sets to request completion; click reads it."""

_CLOSED_PIPE: Final = 141
"""`Exit.CLOSED_PIPE`, whose module is loaded only after an error."""
_GC_THRESHOLD: Final = 50_000
"""Imports leave no garbage, but looking for it would take a fifth of a short command's time."""


class TopLevel(SplitGroup):
    """The command `sayso` with the groups of the table. Its help page imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names, in the order of the table."""
        return list(GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the group; for a shell, with completion of names and IDs."""
        command = super().get_command(ctx, cmd_name)
        if command is not None and ctx.resilient_parsing:
            from server.cli.completing import complete_values  # noqa: PLC0415  # reads the database

            complete_values(command, cmd_name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The groups and flags that start with the typed text, without importing a group."""
        groups = [
            CompletionItem(name, help=group.help)
            for name, group in GROUPS.items()
            if name.startswith(incomplete)
        ]
        return [*groups, *super(click.Group, self).shell_complete(ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # as above
        """Write the table of command groups without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, group.help) for name, group in GROUPS.items()])


@click.group(
    cls=TopLevel,
    elsewhere={name: f"{group.module}.{group.name}" for name, group in GROUPS.items()},
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the database and the keys (SAYSO_DATA_DIR).",
)
@click.version_option(package_name="sayso", prog_name=PROGRAM)
@click.pass_context
def cli(context: click.Context, data_dir: Path | None) -> None:
    """Run and administer a Sayso installation.

    Everyone who can read the data folder is an administrator. Commands work whether or not the
    server runs. A running server applies changes with its next request.
    """
    context.obj = {"data_dir": data_dir}


def _run(arguments: list[str]) -> object:
    """Run the command; return its result. Exits with 141 if the reader of the output has ended."""
    stdout = sys.stdout
    try:
        return cli.main(
            args=arguments,
            prog_name=PROGRAM,
            complete_var=COMPLETION_VARIABLE,
            standalone_mode=False,
        )
    except SystemExit:
        if sys.stdout is not stdout:  # click replaces the stream of a closed pipe and exits with 1
            sys.exit(_CLOSED_PIPE)
        raise


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its exit code."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stdout is None and "serve" not in argv:  # nobody would see a new secret
        sys.exit("Error: The standard output is closed.")
    if arguments is None and "serve" not in argv:  # a server loads everything before it starts
        lazy_imports.turn_on()
        gc.set_threshold(_GC_THRESHOLD)
        atexit.register(gc.freeze)  # what is loaded by then is not collected
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a Latin-1 terminal cannot show every name
    try:
        code = _run(argv)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # unknown ones print a traceback
        from server.cli.errors import report  # noqa: PLC0415  # loaded only after an error

        sys.exit(report(error, as_json="--json" in argv or "--jsonl" in argv))
    sys.exit(code if isinstance(code, int) else 0)
