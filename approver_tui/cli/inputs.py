"""Shared inputs of the commands: the client of this machine, and the PIN.

Owns: where a PIN can come from: a terminal or stdin, never an argument. Never: what it unlocks.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

import click

from approver_tui import settings
from approver_tui.cli import prompts
from approver_tui.cli.sign_in.homes import this_home
from approver_tui.client.api import Client, open_client
from approver_tui.client.audit.log_witness import WARNING, LogWitness
from approver_tui.client.errors import ClientError, PinNeeded
from approver_tui.client.operations.server_folder import readable_server_folder

_Parsed = TypeVar("_Parsed")
pin_stdin = click.option("--pin-stdin", is_flag=True, help="Read the PIN from stdin.")


def is_interactive() -> bool:
    """Return whether the user can be asked: at a terminal, without --no-input."""
    is_forbidden = click.get_current_context().find_root().params.get("no_input", False)
    return sys.stdin.isatty() and not is_forbidden


@contextmanager
def this_client() -> Iterator[Client]:
    """Open the client of this machine for one command. Raises LoginFirst."""
    with closing(open_client(this_home(), clock=settings.wall_clock)) as client:
        LogWitness(client.session, client.home)  # stores the promises of the server's audit log
        yield client


def warn_about_log(client: Client) -> None:
    """Warn on stderr if the server's audit log was changed. A check that fails is not an alarm."""
    witness = LogWitness(client.session, client.home)
    try:
        alarm = witness.check()
    except (ClientError, OSError):
        alarm = witness.alarm
    if alarm:
        click.echo(f"Warning: {WARNING} ({alarm})", err=True)


def read_pin(*, from_stdin: bool, may_be_empty: bool = False) -> str:
    """Return the PIN of a logged-in device. Raises PinNeeded if the user cannot be asked for it.

    At a terminal it asks until something is typed, unless an empty answer is allowed.
    """
    if from_stdin:
        return stdin_line()
    if not is_interactive():
        raise PinNeeded("This requires your PIN. Use a terminal, or --pin-stdin.")
    return prompts.ask("PIN", is_hidden=True, may_be_empty=may_be_empty)


def read_new_secret(name: str, rule: str, flag: str, *, from_stdin: bool) -> str:
    """Return a new PIN, password or code; a terminal asks for it twice."""
    if from_stdin:
        return stdin_line()
    if not is_interactive():
        raise PinNeeded(f"Choosing a {name} requires a terminal, or {flag}.")
    return prompts.ask_twice(f"Choose a {name} of at least {rule}")


def parse_option(flag: str, parse: Callable[[str], _Parsed], text: str) -> _Parsed:
    """Return the parsed value of an option. Raises UsageError."""
    try:
        return parse(text)
    except ValueError as error:
        raise click.UsageError(f"{flag}: {error}.") from error


def stdin_line() -> str:
    """Return the next line of stdin without its line ending.

    PowerShell may write a byte order mark first, which would make a PIN wrong.
    """
    return sys.stdin.readline().removeprefix("\ufeff").rstrip("\r\n")


def warnings(client: Client) -> list[str]:
    """Return a warning for each weakness of this installation."""
    folder = readable_server_folder(client.profile.issuer, settings.load().server_folder)
    if folder is None:
        return []
    warning = (
        f"Every program you run can read the server's keys in {folder}, so the PIN "
        "protects nothing here. Run the server as its own user or on a different machine."
    )
    return [warning]
