"""`sayso-approver user-code`: the code that agents need to send this user requests.

Owns: where the code comes from: a terminal or stdin, never an argument.
"""

import click

from approver_tui.cli.inputs import pin_stdin, read_new_secret, read_pin, this_client
from approver_tui.cli.printing import as_json, group, print_result
from approver_tui.client.approvals.decisions import DecisionClient

_SET_TEXT = "Agents that use user codes need yours to send you requests."
_NOT_SET_TEXT = "You have no user code. Agents do not need one."


@group("user-code")
def user_code() -> None:
    """Manage the code that agents need to send you requests."""
    with this_client() as client:
        _print_status(is_set=client.has_user_code())


@user_code.command("set")
@click.option("--code-stdin", is_flag=True, help="Read the code from stdin, before the PIN.")
@pin_stdin
@as_json
def set_code(*, code_stdin: bool, pin_stdin: bool) -> None:
    """Set a code, and give it to the agents that can ask you. Requires your PIN."""
    length = "4 characters, and not your PIN"
    code = read_new_secret("user code", length, "--code-stdin", from_stdin=code_stdin)
    _change(code, pin_stdin=pin_stdin)


@user_code.command("clear")
@pin_stdin
@as_json
def clear(*, pin_stdin: bool) -> None:
    """Remove the code. Requires your PIN."""
    _change(None, pin_stdin=pin_stdin)


def _change(code: str | None, *, pin_stdin: bool) -> None:
    pin = read_pin(from_stdin=pin_stdin)
    if code is not None and code.strip() == pin.strip():
        raise click.UsageError(
            "A user code must not be your PIN, because agents see it. Choose a different one."
        )
    with this_client() as client:
        _print_status(is_set=DecisionClient(client).change_user_code(code, pin))


def _print_status(*, is_set: bool) -> None:
    print_result(
        {"schema": "sayso.user-code/1", "set": is_set}, [_SET_TEXT if is_set else _NOT_SET_TEXT]
    )
