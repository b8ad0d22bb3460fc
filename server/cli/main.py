"""The entrance of `sayso`: which nouns there are, and the one place where errors end.

Owns: the table of nouns. Never: what a noun does; its file is loaded when it is used.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple, NoReturn

import click


class Noun(NamedTuple):
    """One noun: the module under `server.cli` that holds its `command`, and its line of help."""

    module: str
    help: str


NOUNS: Final = MappingProxyType(
    {
        "serve": Noun("operations.serve", "Serve until told to end."),
        "init": Noun("operations.init", "Make the keys and the first administrator."),
        "users": Noun("users.users", "People: who may ask, decide and administer."),
        "agents": Noun(
            "clients.agents", "Agents: who they are, what they may ask for, stopping them."
        ),
        "apps": Noun(
            "clients.apps", "Apps of people: where they send people back to, what they may ask for."
        ),
        "groups": Noun("approvers.groups", "Groups of approvers: who is in them."),
        "resources": Noun("resources.resources", "Protected APIs and their scopes."),
        "actions": Noun(
            "policy.action_types", "Action types: how an agent's details become words."
        ),
        "outbox": Noun("notifications.outbox", "What leaves the installation: list, retry."),
        "policy": Noun(
            "policy.policy", "Policy: what is allowed, what asks a person, what never happens."
        ),
        "approvals": Noun("approvals.approvals", "Requests: list, show, withdraw."),
        "deputies": Noun("approvers.deputies", "Who decides for whom: list, revoke."),
        "consents": Noun("consents.consents", "What users let clients have: list, revoke."),
        "grants": Noun("standing_grants.grants", "What users approved ahead: list, revoke."),
        "incidents": Noun("incidents.incidents", "Reports of people: list, show, close."),
        "devices": Noun("devices.devices", "What people decide from: list, revoke."),
        "delegations": Noun(
            "tokens.delegations", "Issued tokens: who acts for whom; list, show, revoke."
        ),
        "token": Noun("tokens.token", "One token: inspect, revoke; why an exchange was refused."),
        "keys": Noun("tokens.keys", "Signing keys: list, rotate."),
        "audit": Noun("audit.audit", "The log."),
        "db": Noun("operations.db", "The database: upgrade, back up, restore."),
        "config": Noun("operations.config", "Each setting and where its value came from."),
        "doctor": Noun("operations.doctor", "What is weak or broken here, and the fix."),
        "demo": Noun("operations.demo", "The whole loop on this machine, with a scripted agent."),
    }
)
"""Every noun, in the order of the help page."""


class LazyNouns(click.Group):
    """A group that imports a noun when it is called, and none to print the help page."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names of the nouns."""
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # likewise
        """A noun, imported now."""
        if cmd_name not in NOUNS:
            return None
        command: click.Command = importlib.import_module(
            f"server.cli.{NOUNS[cmd_name].module}"
        ).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # likewise
        """The table of nouns, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, noun.help) for name, noun in NOUNS.items()])


@click.group(cls=LazyNouns)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the database and the keys lie (SAYSO_DATA_DIR).",
)
@click.version_option(package_name="sayso", prog_name="sayso")
@click.pass_context
def cli(context: click.Context, data_dir: Path | None) -> None:
    """Administer and serve a Sayso installation: agents act on people's say-so.

    Whoever can read the data folder is the administrator. Every command works whether the server
    runs or not; a running one honours a change at its next request.
    """
    context.obj = {"data_dir": data_dir}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(args=given, prog_name="sayso", standalone_mode=False)
    except BrokenPipeError:
        # Whoever read has gone (`sayso … | head`); what is left must not be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # unknown ones are shown whole
        from server.cli.errors import report  # noqa: PLC0415  # loaded only when one happened

        sys.exit(report(error, as_json="--json" in given or "--jsonl" in given))
    sys.exit(code if isinstance(code, int) else 0)
