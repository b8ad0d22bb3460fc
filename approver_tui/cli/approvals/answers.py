"""`sayso-approver approve`, `deny` and `withdraw`: answer requests.

Owns: the options of these commands, and the checks before an answer. Never: signing; how an
outcome is worded (`lines.py`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TypeAlias

import click

from approver_tui.cli import completing, documents, lines, prompts, references
from approver_tui.cli.approvals import entries
from approver_tui.cli.approvals.confirming import report_progress, send_and_confirm
from approver_tui.cli.exits import error_document, error_text, exit_code
from approver_tui.cli.inputs import (
    is_interactive,
    parse_option,
    pin_stdin,
    read_pin,
    this_client,
    warn_about_log,
)
from approver_tui.cli.printing import as_json, print_result, print_to_stderr, wants_json
from approver_tui.client import errors
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.state.answer_status import AnswerStatus, answer_message
from approver_tui.state.approvals.approvals import Approval, ApprovalState
from approver_tui.state.approvals.ceremony import Entries
from approver_tui.state.approvals.decision import NOTE_LENGTH, DenialExtras, DenyCode
from approver_tui.state.approvals.narrowing import (
    MAX_LIFETIME,
    NarrowedFact,
    Narrowing,
    read_change,
)
from approver_tui.state.approvals.votes import withdrawn_text
from approver_tui.state.fingerprint import same_fingerprint
from approver_tui.state.retry_delays import parse_moment
from approver_tui.state.text import display_safe

_DenyOne: TypeAlias = Callable[[str], Approval]
_Failures: TypeAlias = list[tuple[str, errors.ClientError]]
"""The errors of requests that were not denied, by ID."""
_FATAL_ERRORS = (errors.LoginFirst, errors.Unreachable)
"""Errors that would also stop every request after this one."""
_NOT_SENT = errors.Unreachable(answer_message(AnswerStatus.NOT_SENT))


@click.command("approve")
@completing.approval_argument
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
    type=click.IntRange(1, MAX_LIFETIME),
    help="Shorten the token lifetime.",
)
@click.option("--fact", metavar="VALUE", help="The value to type back, as the request shows it.")
@click.option("--match", metavar="NUMBER", help="The match number that the agent shows.")
@click.option("--reason", metavar="TEXT", help="The reason, for the audit log; no agent sees it.")
@pin_stdin
@as_json
def approve(  # one argument per option
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
    proposal = Narrowing(_read_changes(narrow), drop_scope, token_seconds)
    with this_client() as client:
        full_id = references.approval_id(client, approval_id)
        is_prompted = not pin_stdin and is_interactive()
        if not is_prompted:
            references.require_id(approval_id, full_id)
        approval = client.approval(full_id)
        warn_about_log(client)
        _check_answerable(approval, fingerprint)
        if is_prompted:
            print_to_stderr(lines.approval_in_full(approval, client.now()))
        decider = DecisionClient(client)
        with prompts.echo_off() if is_prompted else nullcontext():
            typed = entries.complete_entries(
                approval, Entries(**entry_options), _prompt if is_prompted else None
            )
            if typed is None:
                raise click.Abort
            with _name_options(narrow, proposal.changes):
                granted = decider.narrow(approval, proposal) if proposal else None
            if not wants_json():  # show what would be granted before the PIN is read
                print_to_stderr(lines.granted_lines(granted or approval.granted))
            pin = read_pin(from_stdin=pin_stdin)
        send = partial(decider.approve, approval, fingerprint=fingerprint, pin=pin)
        send = partial(send, granted=granted, entries=typed)
        decided = send_and_confirm(decider, send, report_progress)
    print_result(documents.document("sayso.decision/1", decided), lines.outcome_lines(decided))


def _read_changes(narrow: Sequence[str]) -> tuple[NarrowedFact, ...]:
    changes = tuple(parse_option(f"--narrow {change}", read_change, change) for change in narrow)
    if len({(change.place, change.pointer) for change in changes}) < len(changes):
        raise click.UsageError("--narrow: each fact can appear only once.")
    return changes


@contextmanager
def _name_options(narrow: Sequence[str], changes: Sequence[NarrowedFact]) -> Iterator[None]:
    """Name the option in an error, instead of the server's pointer to the fact."""
    pointers = (f"/{change.place}{change.pointer}" for change in changes)
    options = (f"--narrow {option}" for option in narrow)
    try:
        yield
    except errors.ApiError as error:
        detail = errors.labeled_detail(error, dict(zip(pointers, options, strict=True)))
        if not detail:
            raise
        raise errors.ApiError(error.code, error.status, detail, error.members) from error


def _prompt(question: str) -> str:
    return prompts.ask(question.removesuffix(":"), may_be_empty=True)


def _check_answerable(approval: Approval, fingerprint: str) -> None:
    """Check everything that could fail before a PIN attempt is counted."""
    if not same_fingerprint(approval.fingerprint, fingerprint):
        raise errors.Changed("The fingerprint does not match this request. Nothing was changed.")
    if approval.state is not ApprovalState.PENDING:
        raise errors.AlreadyDecided("not_pending", "This request is already decided.", approval)
    if approval.is_locked:
        detail = (
            "Too many wrong entries. You can still deny this request, and others can decide it."
        )
        raise errors.RequestLocked("request_locked", 423, detail)


def _codes_with(member: str) -> str:
    return " or ".join(code for code in DenyCode if code.takes == member)


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
def deny(  # one argument per option
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

        def deny_one(approval_id: str) -> Approval:
            approval = client.approval(approval_id)
            send = partial(decider.deny, approval, DenyCode(code), note, extras)
            return send_and_confirm(decider, send, report_progress)

        if len(ids) > 1:
            _print_results(*_deny_each(ids, deny_one))
            return
        decided = deny_one(ids[0])
    print_result(documents.document("sayso.decision/1", decided), lines.outcome_lines(decided))


def _deny_each(ids: Sequence[str], deny_one: _DenyOne) -> tuple[list[Approval], _Failures]:
    """Deny the requests one after the other; return those denied, and the errors of the others."""
    denied: list[Approval] = []
    failed: _Failures = []
    for index, approval_id in enumerate(ids):
        try:
            denied.append(deny_one(approval_id))
        except errors.UnknownOutcome as error:
            failed.append((approval_id, error))
            failed += [(id_, _NOT_SENT) for id_ in ids[index + 1 :]]
            break
        except _FATAL_ERRORS as error:
            failed += [(id_, error) for id_ in ids[index:]]
            break
        except errors.ClientError as error:
            failed.append((approval_id, error))
    return denied, failed


def _print_results(denied: list[Approval], failed: _Failures) -> None:
    """Print each result, and raise the first error."""
    failures = [(name, error_document(error, exit_code(error))) for name, error in failed]
    rows = [line for approval in denied for line in lines.outcome_lines(approval)]
    rows += [f"{display_safe(name)}: {error_text(error)}" for name, error in failed]
    print_result(documents.decisions(denied, failures), rows)
    if failed:
        raise failed[0][1]


def _check_code_allows(member: str, code: str, value: str | None) -> None:
    if value is not None and DenyCode(code).takes != member:
        flag = f"--{member.replace('_', '-')}"
        raise click.UsageError(f"{flag} requires --code {_codes_with(member)}.")


@click.command("withdraw")
@completing.approval_argument
@as_json
def withdraw(*, approval_id: str) -> None:
    """Withdraw your approval while others must still approve. Requires no PIN.

    The request then waits for your answer again: you can approve it or deny it.
    """
    with this_client() as client:
        decider = DecisionClient(client)
        approval = client.approval(references.approval_id(client, approval_id))
        withdrawn = send_and_confirm(decider, partial(decider.withdraw, approval), report_progress)
    print_result(
        documents.document("sayso.item/1", withdrawn), [withdrawn_text(withdrawn.vote_tally)]
    )
