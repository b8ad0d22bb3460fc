"""`sayso-approver approve`: approve a request, with the PIN."""

from contextlib import nullcontext
from functools import partial

import click

from approver_tui.cli import completing, documents, lines, prompts, references
from approver_tui.cli.approvals import entries
from approver_tui.cli.approvals.confirming import report_progress, send_and_confirm
from approver_tui.cli.inputs import (
    is_interactive,
    parse_option,
    pin_stdin,
    read_pin,
    this_client,
    warn_about_log,
)
from approver_tui.cli.printing import as_json, print_result, wants_json
from approver_tui.client.api import Client
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.errors import AlreadyDecided, Changed, RequestLocked
from approver_tui.state.approvals.approvals import Approval, ApprovalState
from approver_tui.state.approvals.ceremony import Entries
from approver_tui.state.approvals.narrowing import (
    MAX_TOKEN_SECONDS,
    Granted,
    Narrowing,
    read_change,
)
from approver_tui.state.fingerprint import same_fingerprint


@click.command("approve")
@click.argument("approval_id", metavar="ID", shell_complete=completing.approval_ids)
@click.option(
    "--fingerprint", required=True, help="The fingerprint that you saw, such as 9f3a-71c0."
)
@click.option(
    "--narrow",
    metavar="FACT=VALUE",
    multiple=True,
    help="Reduce a value, such as amount=500, rows=1,3 (items to keep) or 2:amount=500.",
)
@click.option("--drop-scope", metavar="SCOPE", multiple=True, help="Remove a scope.")
@click.option(
    "--token-seconds",
    metavar="N",
    type=click.IntRange(1, MAX_TOKEN_SECONDS),
    help="Shorten the token lifetime.",
)
@entries.entry_flags
@pin_stdin
@as_json
def command(  # one argument per option
    *,
    approval_id: str,
    fingerprint: str,
    narrow: tuple[str, ...],
    drop_scope: tuple[str, ...],
    token_seconds: int | None,
    pin_stdin: bool,
    **entry_options: str | None,
) -> None:
    """Approve a request, or part of it. Requires your PIN and the fingerprint you read."""
    changes = tuple(parse_option(f"--narrow {change}", read_change, change) for change in narrow)
    proposal = Narrowing(changes, drop_scope, token_seconds)
    with this_client() as client:
        full_id = references.approval_id(client, approval_id)
        is_prompted = not pin_stdin and is_interactive()
        if not is_prompted:
            references.require_id(approval_id, full_id)
        approval = client.approval(full_id)
        warn_about_log(client)
        _check_answerable(approval, fingerprint)
        if is_prompted:
            _show(client, approval)
        decider = DecisionClient(client)
        with prompts.echo_off() if is_prompted else nullcontext():
            typed = entries.complete_entries(
                approval, Entries(**entry_options), _prompt if is_prompted else None
            )
            if typed is None:
                raise click.Abort
            granted = decider.narrow(approval, proposal) if proposal else None
            if not wants_json():
                _show_limits(granted or approval.granted)
            pin = read_pin(from_stdin=pin_stdin)
        send = partial(decider.approve, approval, fingerprint=fingerprint, pin=pin)
        send = partial(send, granted=granted, entries=typed)
        decided = send_and_confirm(decider, send, report_progress)
    print_result(documents.decision(decided), lines.outcome_lines(decided))


def _prompt(question: str) -> str:
    return prompts.ask(question.removesuffix(":"), may_be_empty=True)


def _show_limits(granted: Granted | None) -> None:
    """Show what would be granted before the PIN is read."""
    for line in lines.granted_lines(granted):
        click.echo(line, err=True)


def _check_answerable(approval: Approval, fingerprint: str) -> None:
    """Check everything that could fail before a PIN attempt is counted."""
    if not same_fingerprint(approval.fingerprint, fingerprint):
        raise Changed("The fingerprint does not match this request. Nothing was changed.")
    if approval.state is not ApprovalState.PENDING:
        raise AlreadyDecided("not_pending", "This request is already decided.", approval)
    if approval.is_locked:
        detail = (
            "Too many wrong entries. You can still deny this request, and others can decide it."
        )
        raise RequestLocked("request_locked", 423, detail)


def _show(client: Client, approval: Approval) -> None:
    for line in lines.approval_in_full(approval, client.now()):
        click.echo(line, err=True)
