"""`sayso-approver deny`: deny one or more requests, with a reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import click

from approver_tui.cli import completing, documents, lines, references
from approver_tui.cli.approvals.confirming import report_progress, send_and_confirm
from approver_tui.cli.exits import error_document, error_text, exit_code
from approver_tui.cli.inputs import parse_option, this_client
from approver_tui.cli.printing import as_json, print_result
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.errors import ClientError, LoginFirst, UnknownOutcome, Unreachable
from approver_tui.state.answer_status import AnswerStatus, answer_message
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import NOTE_LENGTH, DenialExtras, DenyCode
from approver_tui.state.retry_delays import parse_moment
from approver_tui.state.text import display_safe

_DenyOne: TypeAlias = Callable[[str], Approval]
_FATAL_ERRORS = (LoginFirst, Unreachable)
"""Errors that would also stop every request after this one."""
_NOT_SENT = Unreachable(answer_message(AnswerStatus.NOT_SENT))


def _codes_with(member: str) -> str:
    return " or ".join(code for code in DenyCode if code.takes == member)


@dataclass(frozen=True, slots=True)
class DeniedBatch:
    """The denied requests, and the errors for the other requests, by ID."""

    denied: tuple[Approval, ...]
    failed: tuple[tuple[str, ClientError], ...]


@click.command("deny")
@click.argument(
    "approval_ids", metavar="ID...", shell_complete=completing.approval_ids, nargs=-1, required=True
)
@click.option(
    "--code",
    type=click.Choice([code.value for code in DenyCode]),
    required=True,
    help="The reason; the agent sees it.",
)
@click.option("--note", default="", help=f"A note to the agent, at most {NOTE_LENGTH} characters.")
@click.option(
    "--retry-at",
    metavar="WHEN",
    help=f"With {_codes_with('retry_at')}: 15m, 1h, 1d or a time such as 2026-12-01T08:00:00Z; "
    "the agent sees it.",
)
@click.option(
    "--ask",
    metavar="USER",
    help=f"With {_codes_with('ask')}: the person that the agent should ask instead.",
)
@click.option(
    "--private-note", metavar="TEXT", help="A private note for the audit log; no agent sees it."
)
@as_json
def command(  # one argument per option
    *,
    approval_ids: tuple[str, ...],
    code: str,
    note: str,
    retry_at: str | None,
    ask: str | None,
    private_note: str | None,
) -> None:
    """Deny one or more requests. Requires no PIN.

    If one request fails, the others are still denied. The exit code is the first error's.
    """
    if max(len(note), len(private_note or "")) > NOTE_LENGTH:
        raise click.UsageError(f"A note can have at most {NOTE_LENGTH} characters.")
    _check_code_allows("retry_at", code, retry_at)
    _check_code_allows("ask", code, ask)
    with this_client() as client:
        parse = partial(parse_moment, now=client.now())
        until = None if retry_at is None else parse_option("--retry-at", parse, retry_at)
        extras, decider = DenialExtras(until, ask, private_note), DecisionClient(client)
        full_ids = (references.approval_id(client, id_) for id_ in approval_ids)
        ids = tuple(dict.fromkeys(full_ids))

        def deny(approval_id: str) -> Approval:
            approval = client.approval(approval_id)
            send = partial(decider.deny, approval, DenyCode(code), note, extras)
            return send_and_confirm(decider, send, report_progress)

        if len(ids) > 1:
            _print_results(_deny_each(ids, deny))
            return
        decided = deny(ids[0])
    print_result(documents.decision(decided), lines.outcome_lines(decided))


def _deny_each(ids: Sequence[str], deny: _DenyOne) -> DeniedBatch:
    """Deny the requests one after the other."""
    denied: list[Approval] = []
    failed: list[tuple[str, ClientError]] = []
    for index, approval_id in enumerate(ids):
        try:
            denied.append(deny(approval_id))
        except UnknownOutcome as error:
            failed.append((approval_id, error))
            failed += [(id_, _NOT_SENT) for id_ in ids[index + 1 :]]
            break
        except _FATAL_ERRORS as error:
            failed += [(id_, error) for id_ in ids[index:]]
            break
        except ClientError as error:
            failed.append((approval_id, error))
    return DeniedBatch(tuple(denied), tuple(failed))


def _print_results(denied_batch: DeniedBatch) -> None:
    """Print each result, and raise the first error."""
    failed = [
        (name, error_document(error, exit_code(error))) for name, error in denied_batch.failed
    ]
    rows = [line for approval in denied_batch.denied for line in lines.outcome_lines(approval)]
    rows += [f"{display_safe(name)}: {error_text(error)}" for name, error in denied_batch.failed]
    print_result(documents.decisions(denied_batch.denied, failed), rows)
    if denied_batch.failed:
        raise denied_batch.failed[0][1]


def _check_code_allows(member: str, code: str, value: str | None) -> None:
    if value is not None and DenyCode(code).takes != member:
        flag = f"--{member.replace('_', '-')}"
        raise click.UsageError(f"{flag} requires --code {_codes_with(member)}.")
