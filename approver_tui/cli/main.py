"""The entrance of `sayso-approver`: which verbs there are, and the one place errors end.

Owns: the table of verbs, loaded only when used. Never: what a verb does.
"""

import difflib
import sys
from collections.abc import Sequence
from itertools import takewhile
from types import MappingProxyType
from typing import NamedTuple, NoReturn

import click

from approver_tui import loading
from approver_tui.cli.printing import PROGRAM, has_terminal
from approver_tui.client.errors import ClientError
from approver_tui.client.operations.hardening import keep_memory_private
from approver_tui.client.sign_in.profile import NAME_FORM, is_name


class Verb(NamedTuple):
    """One verb: the module under `approver_tui.cli` that holds its `command`, and its help."""

    module: str
    help: str


VERBS = MappingProxyType(
    {
        "login": Verb("sign_in.login", "Make this machine one of your devices."),
        "logout": Verb("sign_in.logout", "Sign this device out and forget its keys."),
        "profiles": Verb("sign_in.profiles", "List the servers that this machine is logged in to."),
        "whoami": Verb("sign_in.whoami", "Show who is logged in, and where."),
        "status": Verb("operations.status", "Show whether everything works, and what weakens it."),
        "inbox": Verb("approvals.inbox", "List what waits for your answer."),
        "review": Verb(
            "approvals.review", "Look through what waits and answer it; --plain does it in lines."
        ),
        "show": Verb("approvals.show", "Show one request in full."),
        "watch": Verb("notifications.watch", "Print what happens, as it happens."),
        "approve": Verb("approvals.approve", "Say yes to one request."),
        "deny": Verb("approvals.deny", "Say no to one request, and why."),
        "extend": Verb("approvals.extend", "Let one request wait longer."),
        "retry": Verb("approvals.retry", "Ask the agent of an expired request to ask again."),
        "snooze": Verb("notifications.snooze", "Be notified of one request later."),
        "report": Verb(
            "incidents.report", "Say that you did not ask for something; stops the agent."
        ),
        "history": Verb("approvals.history", "List what was decided."),
        "receipt": Verb(
            "approvals.receipt", "Prove what was shown, who signed it, and that the log has it."
        ),
        "consents": Verb(
            "consents.consents", "List what you let agents and apps do without asking."
        ),
        "revoke": Verb("consents.revoke", "Take a consent back."),
        "grants": Verb(
            "standing_grants.grants", "List what you approved ahead; add, show or revoke it."
        ),
        "devices": Verb("devices.devices", "List your devices; revoke, unlock or vouch for one."),
        "deputies": Verb("approvers.deputies", "Who decides for you while you are away."),
        "quiet": Verb("notifications.quiet", "Show and set when you are not notified."),
        "mute": Verb("notifications.mute", "Be notified of nothing of an agent."),
        "unmute": Verb("notifications.unmute", "Be notified of an agent again."),
        "password": Verb("users.password", "The password with which you sign in to apps."),
        "user-code": Verb("users.user_code", "The code that agents need before they may ask you."),
        "doctor": Verb(
            "operations.doctor",
            "What is weak or broken here, and the fix; --notify tries how you are called.",
        ),
        "config": Verb("operations.config", "Each setting, its value, and where that came from."),
        "completion": Verb(
            "operations.completion", "Print what a shell reads to complete verbs and options."
        ),
    }
)
"""Every verb, in the order of the help page."""

COMPLETION_VARIABLE = "_SAYSO_APPROVER_COMPLETE"
"""By which a shell asks this program to complete a line; click reads it."""

_EXPECTED = (
    click.ClickException,
    click.Abort,
    ClientError,
    KeyboardInterrupt,
    OSError,
    UnicodeError,  # bytes on stdin or in an argument that are no text
)


def _command_of(verb: str) -> click.Command:
    """Return what a verb does, imported now."""
    command: click.Command = loading.module(f"approver_tui.cli.{VERBS[verb].module}").command
    return command


class LazyVerbs(click.Group):
    """A group that imports a verb when it is called, and none to print the help page."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names of the verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb, imported now."""
        if cmd_name not in VERBS:
            self._say_what_was_meant(ctx, cmd_name)
            return None
        return _command_of(cmd_name)

    def _say_what_was_meant(self, ctx: click.Context, name: str) -> None:
        """Raise UsageError when a verb is so close that it was meant."""
        close = difflib.get_close_matches(name, VERBS, n=1)
        if close and not ctx.resilient_parsing:
            raise click.UsageError(f"There is no verb {name!r}. Did you mean {close[0]}?", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """Write the table of verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])


def _is_a_profile(
    _context: click.Context, _option: click.Parameter, name: str | None
) -> str | None:
    if name is not None and not is_name(name):
        raise click.BadParameter(f"a profile is called by {NAME_FORM}.")
    return name


@click.group(cls=LazyVerbs, invoke_without_command=True)
@click.version_option(package_name="sayso", prog_name=PROGRAM)
@click.option(
    "--profile",
    metavar="NAME",
    callback=_is_a_profile,
    help="Which login, where there are several. Else SAYSO_APPROVER_PROFILE, the setting, default.",
)
@click.option(
    "--no-input",
    is_flag=True,
    help="Never ask: what would have to be typed is exit 2.",
)
@click.pass_context
def cli(context: click.Context, profile: str | None, *, no_input: bool) -> None:  # noqa: ARG001  # `opening` reads it
    """See what AI agents want to do in your name, and answer.

    Without a command, and in a terminal, the app opens.
    """
    if context.invoked_subcommand is not None:
        return
    if has_terminal() and not no_input:
        context.invoke(_command_of("review"))
    else:
        click.echo(context.get_help())
        _say_login()


def _say_login() -> None:
    """Where nothing is configured, what comes first is said, with its own exit code.

    Raises LoginFirst or BrokenProfile.
    """
    from approver_tui.cli.sign_in.homes import this_home  # noqa: PLC0415  # help alone needs none of it
    from approver_tui.client.sign_in.profile import load_required  # noqa: PLC0415  # likewise

    load_required(this_home())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit code."""
    keep_memory_private()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(
            args=given,
            prog_name=PROGRAM,
            complete_var=COMPLETION_VARIABLE,
            standalone_mode=False,
        )
    except _EXPECTED as error:
        from approver_tui.cli.exits import report  # noqa: PLC0415  # most commands end well

        is_json = "--json" in given or "--jsonl" in given
        called, no_input = _before_the_verb(given)
        sys.exit(report(error, as_json=is_json, called=called, no_input=no_input))
    sys.exit(code if isinstance(code, int) else 0)


def _before_the_verb(given: Sequence[str]) -> tuple[str, bool]:
    """Return the program's name with the login that was named, for remedies, and --no-input."""
    called, no_input = PROGRAM, False
    words = iter(given)
    for word in takewhile(lambda word: word.startswith("-"), words):
        flag, _, name = word.partition("=")
        no_input |= flag == "--no-input"
        if flag == "--profile" and is_name(name := name or next(words, "")):
            called = f"{PROGRAM} --profile {name}"
    return called, no_input
