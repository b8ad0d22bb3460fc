"""`sayso-approver password` and `user-code`: secrets that other programs ask this user for.

The password signs in to apps in a browser; agents need the user code to send requests. Owns: where
they come from: a terminal or stdin, never an argument.
"""

import unicodedata
from typing import Final

import click

from approver_tui.cli.inputs import pin_stdin, read_new_secret, read_pin, this_client
from approver_tui.cli.printing import as_json, group, print_result, program
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.state.text import pluralize

_MIN_LENGTH: Final = 12
_MAX_LENGTH: Final = 256


@group("password")
def password() -> None:
    """Manage the password you use to sign in to apps in a browser."""
    with this_client() as client:
        is_set = client.has_password()
    text = "You have a password for signing in to apps."
    if not is_set:
        text = f"You have no password for signing in to apps. Set one: {program()} password set"
    print_result({"schema": "sayso.password/1", "set": is_set}, [text])


@password.command("set")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of stdin."
)
@pin_stdin
@as_json
def set_password(*, password_stdin: bool, pin_stdin: bool) -> None:
    """Set or change your password. Requires your PIN.

    It must have at least 12 characters and differ from your PIN. Every browser that is signed in
    with the old password is signed out. With both --password-stdin and --pin-stdin, the first line
    is the password and the second the PIN.
    """
    rule = f"{_MIN_LENGTH} characters, and not your PIN"
    new_password = read_new_secret("password", rule, "--password-stdin", from_stdin=password_stdin)
    _check_password(new_password)
    pin = read_pin(from_stdin=pin_stdin)
    with this_client() as client:
        ended = DecisionClient(client).change_password(new_password, pin)
    text = ["The password is set."]
    if ended:
        text.append(f"{pluralize(ended, 'browser was', 'browsers were')} signed out.")
    print_result({"schema": "sayso.password/1", "set": True, "sign_ins_ended": ended}, text)


def _check_password(new_password: str) -> None:
    """Reject what the server would refuse, before a PIN attempt is counted."""
    length = len(unicodedata.normalize("NFC", new_password))
    if not _MIN_LENGTH <= length <= _MAX_LENGTH or not new_password.isprintable():
        raise click.UsageError(
            f"A password has {_MIN_LENGTH} to {_MAX_LENGTH} printable characters."
        )


@group("user-code")
def user_code() -> None:
    """Manage the code that agents need to send you requests."""
    with this_client() as client:
        _print_code_status(is_set=client.has_user_code())


@user_code.command("set")
@click.option("--code-stdin", is_flag=True, help="Read the code from stdin, before the PIN.")
@pin_stdin
@as_json
def set_code(*, code_stdin: bool, pin_stdin: bool) -> None:
    """Set the code that agents must send to ask you. Requires your PIN."""
    rule = "4 characters, and not your PIN"
    code = read_new_secret("user code", rule, "--code-stdin", from_stdin=code_stdin)
    _change_code(code, pin_stdin=pin_stdin)


@user_code.command("clear")
@pin_stdin
@as_json
def clear_code(*, pin_stdin: bool) -> None:
    """Remove the code. Requires your PIN."""
    _change_code(None, pin_stdin=pin_stdin)


def _change_code(code: str | None, *, pin_stdin: bool) -> None:
    pin = read_pin(from_stdin=pin_stdin)
    if code is not None and code.strip() == pin.strip():
        raise click.UsageError(
            "A user code must not be your PIN, because agents see it. Choose a different one."
        )
    with this_client() as client:
        _print_code_status(is_set=DecisionClient(client).change_user_code(code, pin))


def _print_code_status(*, is_set: bool) -> None:
    text = "You have no user code. Agents do not need one."
    if is_set:
        text = "Agents that use user codes need yours to send you requests."
    print_result({"schema": "sayso.user-code/1", "set": is_set}, [text])
