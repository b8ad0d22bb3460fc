"""What each error means to a script: one table.

Owns: exit codes and the error object on stderr. Never: stdout.
"""

import json
import sys
from enum import IntEnum
from types import MappingProxyType

import click

from approver_tui.client import errors
from approver_tui.state.approvals import ApprovalState


class Exit(IntEnum):
    """Every exit code there is."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    NOT_FOUND = 3
    LOGIN_FIRST = 4
    NOT_ALLOWED = 5
    CONFLICT = 6
    UNREACHABLE = 7
    RATE_LIMITED = 8
    EXPIRED = 12
    WITHDRAWN = 13
    LOCKED = 15
    NOT_VERIFIED = 20
    INTERRUPTED = 130


BY_KIND = MappingProxyType(
    {
        click.UsageError: Exit.USAGE,
        UnicodeError: Exit.USAGE,
        click.Abort: Exit.INTERRUPTED,
        KeyboardInterrupt: Exit.INTERRUPTED,
        errors.LoginFirst: Exit.LOGIN_FIRST,
        errors.BrokenProfile: Exit.LOGIN_FIRST,
        errors.DeviceLocked: Exit.LOCKED,
        errors.WrongPin: Exit.NOT_ALLOWED,
        errors.PinNeeded: Exit.NOT_ALLOWED,
        errors.BadPin: Exit.USAGE,
        errors.BadName: Exit.USAGE,
        errors.BadServer: Exit.ERROR,
        errors.Changed: Exit.CONFLICT,
        errors.AlreadyLoggedIn: Exit.CONFLICT,
        errors.Unreachable: Exit.UNREACHABLE,
        errors.UnknownOutcome: Exit.UNREACHABLE,
        errors.WireError: Exit.NOT_VERIFIED,
    }
)
"""An error without a row is looked up by the status of the server's answer."""

BY_STATUS = MappingProxyType(
    {
        401: Exit.LOGIN_FIRST,
        403: Exit.NOT_ALLOWED,
        404: Exit.NOT_FOUND,
        409: Exit.CONFLICT,
        423: Exit.LOCKED,
        429: Exit.RATE_LIMITED,
        503: Exit.UNREACHABLE,
    }
)

BY_OUTCOME = MappingProxyType(
    {ApprovalState.EXPIRED: Exit.EXPIRED, ApprovalState.CANCELLED: Exit.WITHDRAWN}
)
"""What became of an approval that could not be answered; everything else is a conflict."""

BY_OAUTH_CODE = MappingProxyType(
    {
        "invalid_grant": Exit.LOGIN_FIRST,
        "access_denied": Exit.NOT_ALLOWED,
        "expired_token": Exit.EXPIRED,
    }
)
"""What the token endpoint says to a device that signs in; its status is always 400."""


def exit_code(error: BaseException) -> Exit:
    """Return the exit code of an error."""
    if isinstance(error, errors.AlreadyDecided):
        return BY_OUTCOME.get(error.approval.state, Exit.CONFLICT)
    for kind, code in BY_KIND.items():
        if isinstance(error, kind):
            return code
    if isinstance(error, errors.ApiError):
        by_status = BY_STATUS.get(error.status, Exit.ERROR)
        return BY_OAUTH_CODE.get(error.code, by_status)
    return Exit.ERROR


def report(error: BaseException, *, as_json: bool) -> int:
    """Say on stderr what went wrong, for a person or a script, and return the exit code."""
    code = exit_code(error)
    if as_json:
        text = json.dumps(document(error, code))
    else:
        text = "\n".join(filter(None, (f"Error: {_sentence(error)}", _advice(error))))
    click.echo(text, file=sys.stderr)
    return int(code)


def document(error: BaseException, code: Exit) -> dict[str, object]:
    """Return the error object."""
    name = error.code if isinstance(error, errors.ApiError) else _snake(type(error).__name__)
    members: dict[str, object] = {
        "schema": "sayso.error/1",
        "error": name,
        "detail": _sentence(error),
        "exit": int(code),
    }
    if isinstance(error, errors.AlreadyDecided):
        members["approval"] = {"id": error.approval.id, "state": error.approval.state.value}
    if isinstance(error, errors.WrongPin):
        members |= {"tries": error.tries, "left": error.left}
    if isinstance(error, errors.ApiError) and "retry_after" in error.members:
        members["retry_after"] = error.members["retry_after"]
    return members


def _sentence(error: BaseException) -> str:
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return "Interrupted."
    if isinstance(error, errors.AlreadyDecided):
        if error.approval.is_taken_back:
            return "Too late: this request is no longer needed, its agent took it back."
        return f"Too late: this request is {error.approval.state.value} already."
    if isinstance(error, errors.WrongPin):
        return f"{error} Tries left: {error.left}."
    return str(error)


def _advice(error: BaseException) -> str:
    if isinstance(error, (errors.LoginFirst, errors.BrokenProfile)):
        return "Log in with: sayso-approver login URL --code CODE"
    if isinstance(error, errors.DeviceLocked):
        return "Unlock it from another device, or ask for: sayso users unlock"
    return ""


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]
