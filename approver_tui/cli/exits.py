"""The exit code of each error.

Owns: exit codes and the error object on stderr. Never: writing to stdout.
"""

import json
import sys
from collections.abc import Mapping
from enum import IntEnum

import click

from approver_tui.cli.lines import status_text
from approver_tui.cli.printing import PROGRAM, name_profile, program
from approver_tui.client import errors
from approver_tui.state.approvals.approvals import ApprovalState


class Exit(IntEnum):
    """Every exit code.

    10, 11 and 14 are reserved for a command that waits for an answer: still pending, denied,
    approved in part.
    """

    DONE = 0
    """Success."""
    ERROR = 1
    """An error. For `doctor`: something is broken."""
    USAGE = 2
    """The command cannot run as it is written: an option, a name or a value is wrong."""
    NOT_FOUND = 3
    """There is no such request, device or consent."""
    LOGIN_FIRST = 4
    """Log in first."""
    NOT_ALLOWED = 5
    """Not allowed, or an entry was wrong, or the PIN or another entry is needed and there is
    neither a terminal nor an option for it."""
    CONFLICT = 6
    """Already decided, or the fingerprint does not match."""
    UNREACHABLE = 7
    """The server cannot be reached (`unreachable`: nothing was sent), or it did not confirm an
    answer within 60 seconds (`unknown_outcome`)."""
    RATE_LIMITED = 8
    """Too many calls. `retry_after` says when to try again."""
    EXPIRED = 12
    """The request has expired."""
    WITHDRAWN = 13
    """The request was withdrawn or canceled."""
    LOCKED = 15
    """Locked: the device after too many wrong PINs, the request after two wrong entries, or its
    agent is disabled."""
    NOT_VERIFIED = 20
    """A text from the server does not verify, or a receipt is not valid."""
    INTERRUPTED = 130
    """Interrupted."""
    CLOSED_PIPE = 141
    """The program that reads the output has ended, as after SIGPIPE."""


BY_KIND = {
    click.UsageError: Exit.USAGE,
    UnicodeError: Exit.USAGE,
    click.Abort: Exit.INTERRUPTED,
    KeyboardInterrupt: Exit.INTERRUPTED,
    errors.LoginFirst: Exit.LOGIN_FIRST,
    errors.BrokenProfile: Exit.LOGIN_FIRST,
    errors.DeviceLocked: Exit.LOCKED,
    errors.WrongPin: Exit.NOT_ALLOWED,
    errors.PinNeeded: Exit.NOT_ALLOWED,
    errors.EntryNeeded: Exit.NOT_ALLOWED,
    errors.WrongEntry: Exit.NOT_ALLOWED,
    errors.BadPin: Exit.USAGE,
    errors.BadName: Exit.USAGE,
    errors.BadSetting: Exit.USAGE,
    errors.BadAddress: Exit.USAGE,
    errors.Changed: Exit.CONFLICT,
    errors.AlreadyLoggedIn: Exit.CONFLICT,
    errors.Unreachable: Exit.UNREACHABLE,
    errors.UnknownOutcome: Exit.UNREACHABLE,
    errors.WireError: Exit.NOT_VERIFIED,
    errors.NotVerified: Exit.NOT_VERIFIED,
}
"""For other errors, the status of the server's response decides; without one, it is ERROR."""

BY_STATUS = {
    400: Exit.USAGE,
    401: Exit.LOGIN_FIRST,
    403: Exit.NOT_ALLOWED,
    404: Exit.NOT_FOUND,
    405: Exit.ERROR,
    409: Exit.CONFLICT,
    412: Exit.CONFLICT,
    413: Exit.USAGE,
    422: Exit.USAGE,
    423: Exit.LOCKED,
    428: Exit.ERROR,
    429: Exit.RATE_LIMITED,
    500: Exit.ERROR,
    502: Exit.UNREACHABLE,
    503: Exit.UNREACHABLE,
    504: Exit.UNREACHABLE,
}
"""Every status of the server, and of a proxy in front of it."""

_ADVICE = {
    errors.LoginFirst: (
        "Your first device? Get a one-time code from your administrator, then run:\n"
        "  sayso-approver login URL --code CODE\n"
        "Another device? Approve it on one that you already use:\n"
        "  sayso-approver login URL"
    ),
    errors.BrokenProfile: "Log in again with: sayso-approver login URL",
    errors.DeviceLocked: (
        "Unlock it from another device, or ask your administrator to run: sayso users unlock"
    ),
    errors.CertificateRefused: "Find the cause with: sayso-approver doctor",
    errors.Unreachable: "Is the server running? Find the cause with: sayso-approver doctor",
    errors.StorageFailed: "Find the cause with: sayso-approver doctor",
    errors.NotRecorded: "Answer the request again. List waiting requests: sayso-approver inbox",
    errors.Changed: "Read the request and its fingerprint again: sayso-approver inbox",
    errors.WireError: "Do not answer this request. Tell your administrator.",
    errors.BrokenSettings: "Find the file with: sayso-approver config path",
    errors.BadSetting: "See: sayso-approver config",
}
"""The advice after each kind of error."""

_ADVICE_BY_STATUS = {
    404: "See what exists: sayso-approver inbox, history, grants, consents, devices or quiet"
}

BY_OUTCOME = {ApprovalState.EXPIRED: Exit.EXPIRED, ApprovalState.CANCELLED: Exit.WITHDRAWN}
"""By the state of an approval that could not be answered; any other state is a conflict."""

BY_CODE = {
    "invalid_grant": Exit.LOGIN_FIRST,
    "access_denied": Exit.NOT_ALLOWED,
    "expired_token": Exit.EXPIRED,
    "invalid_decision": Exit.ERROR,
    "invalid_statement": Exit.ERROR,
    "agent_disabled": Exit.LOCKED,
}
"""Codes that say more than the status: errors from signing in, which are all 400; errors in what
this program signed, which are not the user's mistake; a disabled agent."""


_CODES: Mapping[type[BaseException], str] = {
    errors.StorageFailed: "not_kept",
    OSError: "os_error",
}
"""The codes of errors that are not named after their class."""


def exit_code(error: BaseException) -> Exit:
    """Return the exit code of an error."""
    if isinstance(error, errors.AlreadyDecided):
        if error.approval.was_locked:
            return Exit.LOCKED
        return BY_OUTCOME.get(error.approval.state, Exit.CONFLICT)
    for kind, code in BY_KIND.items():
        if isinstance(error, kind):
            return code
    if isinstance(error, errors.ApiError):
        by_status = BY_STATUS.get(error.status, Exit.ERROR)
        return BY_CODE.get(error.code, by_status)
    return Exit.ERROR


def report(
    error: BaseException, *, as_json: bool, program_name: str = PROGRAM, no_input: bool = False
) -> int:
    """Print the error on stderr, for a person or a script, and return the exit code.

    `program_name` is the program's name with the `--profile` that was used, for suggested commands.
    With `no_input` a missing entry is a usage error, because an option was left out.
    """
    is_missing = no_input and isinstance(error, (errors.PinNeeded, errors.EntryNeeded))
    code = Exit.USAGE if is_missing else exit_code(error)
    text = json.dumps(error_document(error, code)) if as_json else "\n".join(error_lines(error))
    click.echo(name_profile(text, program_name), file=sys.stderr)
    return int(code)


def error_lines(error: BaseException) -> list[str]:
    """Return what failed and, if known, what to do next, safe to draw."""
    error_and_advice = (f"Error: {error_text(error)}", _advice_for(error))
    return [name_profile(line, program()) for line in error_and_advice if line]


def error_document(error: BaseException, code: Exit) -> dict[str, object]:
    """Return the error object."""
    kind = _CODES.get(type(error)) or _snake(type(error).__name__)
    name = error.code if isinstance(error, errors.ApiError) else kind
    members: dict[str, object] = {
        "schema": "sayso.error/1",
        "error": name,
        "detail": error_text(error),
        "exit": int(code),
        "next": _advice_for(error) or None,
    }
    if isinstance(error, errors.AlreadyDecided):
        members["approval"] = {"id": error.approval.id, "state": error.approval.state.value}
    if isinstance(error, errors.WrongPin):
        members |= {"tries": error.tries, "left": error.left}
    if isinstance(error, (errors.WrongEntry, errors.RequestLocked)):
        members |= {name: error.members[name] for name in ("step", "left") if name in error.members}
    if isinstance(error, errors.ApiError) and "retry_after" in error.members:
        members["retry_after"] = error.members["retry_after"]
    return members


def error_text(error: BaseException) -> str:
    """Return what failed, safe to draw."""
    if isinstance(error, click.ClickException):
        return " ".join(error.format_message().split())  # click lists choices on several lines
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return "Interrupted."
    if isinstance(error, errors.AlreadyDecided):
        if error.approval.is_withdrawn:
            return "Too late. The agent withdrew this request."
        ended = status_text(error.approval, error.approval.expires_at).rstrip(".")
        return f"Too late. This request is already {ended}."
    if isinstance(error, errors.WrongPin):
        return f"{error} Attempts left: {error.left}."
    return _system_text(error) if isinstance(error, OSError) else str(error)


def _system_text(error: OSError) -> str:
    """Return the error and its file, without the error number."""
    parts = (error.strerror, error.filename)
    return ": ".join(str(part) for part in parts if part) + "." if error.strerror else str(error)


def _advice_for(error: BaseException) -> str:
    """Return what to do next, or an empty string."""
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx is not None else PROGRAM
        return f"See: {command} --help"
    if isinstance(error, errors.AlreadyDecided):
        return f"See: {PROGRAM} show {error.approval.id}"
    if isinstance(error, errors.UnknownOutcome):
        return f"Check the outcome: {PROGRAM} show {error.approval_id}"
    if isinstance(error, errors.ApiError) and error.status in _ADVICE_BY_STATUS:
        return _ADVICE_BY_STATUS[error.status]
    return next((text for kind, text in _ADVICE.items() if isinstance(error, kind)), "")


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]
