"""`sayso-approver password`: the user's password for signing in to apps in a browser.

Owns: where the password comes from: a terminal or stdin, never an argument.
"""

import unicodedata
from typing import Final

import click

from approver_tui.cli.inputs import pin_stdin, read_new_secret, read_pin, this_client
from approver_tui.cli.printing import as_json, group, print_result
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.state.text import pluralize

_MIN_LENGTH: Final = 12
_MAX_LENGTH: Final = 256
_SET_TEXT = "You have a password for signing in to apps."
_NOT_SET_TEXT = "You have no password for signing in to apps. Set one: sayso-approver password set"


@group("password")
def password() -> None:
    """Manage the password you use to sign in to apps in a browser."""
    with this_client() as client:
        is_set = client.has_password()
    print_result(
        {"schema": "sayso.password/1", "set": is_set}, [_SET_TEXT if is_set else _NOT_SET_TEXT]
    )


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
    length = f"{_MIN_LENGTH} characters, and not your PIN"
    password = read_new_secret("password", length, "--password-stdin", from_stdin=password_stdin)
    _check_password(password)
    pin = read_pin(from_stdin=pin_stdin)
    with this_client() as client:
        ended = DecisionClient(client).change_password(password, pin)
    print_result(
        {"schema": "sayso.password/1", "set": True, "sign_ins_ended": ended},
        ["The password is set.", *_signed_out_lines(ended)],
    )


def _check_password(password: str) -> None:
    """Reject what the server would refuse, before a PIN attempt is counted."""
    length = len(unicodedata.normalize("NFC", password))
    if not _MIN_LENGTH <= length <= _MAX_LENGTH or not password.isprintable():
        raise click.UsageError(
            f"A password has {_MIN_LENGTH} to {_MAX_LENGTH} printable characters."
        )


def _signed_out_lines(ended: int) -> list[str]:
    if not ended:
        return []
    return [f"{pluralize(ended, 'browser was', 'browsers were')} signed out."]
