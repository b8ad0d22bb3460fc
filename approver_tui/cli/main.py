"""The entry point of `sayso-approver`: its commands, and the handler of all errors.

Owns: the table of commands, which are imported when used. Never: what a command does.
"""

import difflib
import os
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple, NoReturn

import click

from approver_tui import loading, unshowable
from approver_tui.cli.printing import PROGRAM, has_terminal
from approver_tui.client.errors import ClientError
from approver_tui.client.operations.hardening import keep_memory_private
from approver_tui.client.sign_in.profile import NAME_FORM, is_name


class Verb(NamedTuple):
    """One command: the module that has the function of that name, and its help."""

    module: str
    help: str


VERBS = {
    "login": Verb("sign_in.login", "Log in and make this machine one of your devices."),
    "logout": Verb("sign_in.profiles", "Log out and delete the keys of this device."),
    "profiles": Verb("sign_in.profiles", "List the servers this machine is logged in to."),
    "whoami": Verb("sign_in.profiles", "Show who is logged in, and where."),
    "status": Verb("operations.status", "Show whether everything works, and any warnings."),
    "inbox": Verb("approvals.inbox", "List the requests waiting for your answer."),
    "review": Verb(
        "approvals.review", "Review waiting requests and answer them; --plain uses plain lines."
    ),
    "show": Verb("approvals.requests", "Show one request in full."),
    "watch": Verb("notifications.watch", "Print events as they happen."),
    "approve": Verb("approvals.answers", "Approve a request."),
    "deny": Verb("approvals.answers", "Deny a request, with a reason."),
    "withdraw": Verb(
        "approvals.answers", "Withdraw your approval while others must still approve."
    ),
    "extend": Verb("approvals.requests", "Give a request more time."),
    "retry": Verb("approvals.requests", "Ask the agent of an expired request to retry."),
    "snooze": Verb("notifications.mutes", "Postpone the notification of a request."),
    "report": Verb(
        "incidents.report", "Report a request you did not ask for; quarantines the agent."
    ),
    "history": Verb("approvals.history", "List past requests."),
    "receipt": Verb("approvals.receipt", "Verify what was shown, who signed it, and the outcome."),
    "audit-log": Verb(
        "audit.audit_log", "Check that the server's audit log was not changed or replaced."
    ),
    "consents": Verb("consents.consents", "List what agents and apps can do without asking."),
    "revoke": Verb("consents.consents", "Revoke a consent."),
    "grants": Verb("standing_grants.grants", "List standing grants; add, show or revoke one."),
    "devices": Verb("devices.devices", "List your devices; revoke, unlock or vouch for one."),
    "deputies": Verb("approvers.deputies", "Manage who decides for you while you are away."),
    "quiet": Verb("notifications.quiet", "Show and set quiet hours."),
    "mute": Verb("notifications.mutes", "Turn off notifications from an agent."),
    "unmute": Verb("notifications.mutes", "Turn notifications from an agent on again."),
    "password": Verb("users.secrets", "Manage the password you use to sign in to apps."),
    "user-code": Verb("users.secrets", "Manage the code that agents need to send you requests."),
    "doctor": Verb(
        "operations.doctor",
        "Find problems and how to fix them; --notify tests notifications.",
    ),
    "config": Verb("operations.config", "Show and change settings."),
    "completion": Verb("operations.completion", "Print the shell completion script."),
}
"""Every command, in the order of the help page."""

COMPLETION_VARIABLE = "_SAYSO_APPROVER_COMPLETE"
"""The variable by which a shell requests completion; click reads it."""

_CLOSED_PIPE = 141
"""`Exit.CLOSED_PIPE`, whose module is loaded only after an error."""
_EXPECTED_ERRORS = (
    click.ClickException,
    click.Abort,
    ClientError,
    KeyboardInterrupt,
    OSError,
    UnicodeError,  # stdin or an argument is not valid text
)


def _load_command(verb: str) -> click.Command:
    """Import and return a command."""
    module = loading.module(f"approver_tui.cli.{VERBS[verb].module}")
    command: click.Command = getattr(module, verb.replace("-", "_"))
    return command


class LazyVerbs(click.Group):
    """A group that imports a command only to run it, so that the help page imports none."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names of the commands."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in VERBS:
            self._suggest(ctx, cmd_name)
            return None
        return _load_command(cmd_name)

    def _suggest(self, ctx: click.Context, name: str) -> None:
        """Raise UsageError with a suggestion if the name is close to a command."""
        matches = difflib.get_close_matches(name, VERBS, n=1)
        if matches and not ctx.resilient_parsing:
            raise click.UsageError(f"There is no command {name!r}. Did you mean {matches[0]}?", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])


def _check_profile_name(
    _context: click.Context, _option: click.Parameter, name: str | None
) -> str | None:
    if name is not None and not is_name(name):
        raise click.BadParameter(f"a profile name must have {NAME_FORM}.")
    return name


@click.group(
    cls=LazyVerbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="sayso", prog_name=PROGRAM)
@click.option(
    "--profile",
    metavar="NAME",
    callback=_check_profile_name,
    help="The login to use. Defaults to SAYSO_APPROVER_PROFILE, then the setting, then default.",
)
@click.option(
    "--no-input",
    is_flag=True,
    help="Never prompt. If input is missing, exit with 2.",
)
@click.pass_context
def cli(context: click.Context, profile: str | None, *, no_input: bool) -> None:  # noqa: ARG001  # `homes.py` reads `profile`
    """Review and answer what AI agents want to do in your name.

    Without a command, in a terminal, the app opens.
    """
    if context.invoked_subcommand is not None:
        return
    if has_terminal() and not no_input:
        context.invoke(_load_command("review"))
    else:
        click.echo(context.get_help())
        _check_login()


def _check_login() -> None:
    """Raise LoginFirst or BrokenProfile if there is no usable login."""
    from approver_tui.cli.sign_in.homes import this_home  # noqa: PLC0415  # the help page does not need it
    from approver_tui.client.sign_in.profile import load_required  # noqa: PLC0415  # nor this

    load_required(this_home())


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
    """Run the command and exit with its code."""
    keep_memory_private()
    sys.stdin = sys.stdin or Path(os.devnull).open()  # noqa: SIM115  # closed by the caller
    if sys.stdout is None:
        sys.exit("Error: The standard output is closed.")
    unshowable.replace_unshowable()
    cli_args = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(cli_args)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except _EXPECTED_ERRORS as error:
        from approver_tui.cli.exits import report  # noqa: PLC0415  # only after an error

        is_json = "--json" in cli_args or "--jsonl" in cli_args
        program_name, no_input = _global_options(cli_args)
        sys.exit(report(error, as_json=is_json, program_name=program_name, no_input=no_input))
    sys.exit(code if isinstance(code, int) else 0)


def _global_options(cli_args: Sequence[str]) -> tuple[str, bool]:
    """Return the program's name with any `--profile`, for error messages, and --no-input."""
    program_name, no_input = PROGRAM, False
    remaining_args = iter(cli_args)
    for arg in takewhile(lambda arg: arg.startswith("-"), remaining_args):
        flag, _, name = arg.partition("=")
        no_input |= flag == "--no-input"
        if flag == "--profile" and is_name(name := name or next(remaining_args, "")):
            program_name = f"{PROGRAM} --profile {name}"
    return program_name, no_input
