"""The errors of administrative changes. If one is raised, nothing was changed.

    ChangeRefused
     ├─ NotFound     the named record does not exist
     ├─ Exists       the new record already exists
     ├─ Conflict     the current state does not allow the change
     └─ Invalid      the request is invalid

The message fits every interface. It names members in backticks, such as `redirect_uris`, but no
command or flag: the command line replaces the members with its flags and shows a command as the
remedy (`server.cli.remedies`), and the console shows the labels of its fields. The message may
contain the administrator's input, so callers must escape it before they print it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeAlias, TypeVar

from server.model.store import Unit
from server.protocol import errors
from server.protocol.text import check_prose

_P = ParamSpec("_P")
_T = TypeVar("_T")
Remedy: TypeAlias = tuple[str, ...]
"""The code of a remedy and its values; empty if the message suffices."""


class ChangeRefused(Exception):
    """A change was refused. `member` is the invalid member; "" if the error is not about one."""

    def __init__(self, message: str = "", *, member: str = "", remedy: Remedy = ()) -> None:
        super().__init__(message)
        self.member = member
        self.remedy = remedy


class NotFound(ChangeRefused):
    """There is no record of this kind with this name or ID."""

    def __init__(self, kind: str, name: str = "") -> None:
        super().__init__(f"There is no {f'{kind} {name}'.rstrip()}.", remedy=(kind, name))


class Exists(ChangeRefused):
    """The new record already exists."""


class Conflict(ChangeRefused):
    """The current state does not allow the change."""


class Invalid(ChangeRefused):
    """The request is invalid."""


def valid(check: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Return the result of a check. Raises `Invalid` with the text of its `ValueError`."""
    try:
        return check(*args, **kwargs)
    except ValueError as error:
        raise Invalid(f"{error}.") from None


def one_line(text: str) -> str:
    """Return the text with single spaces instead of line breaks, tabs and other whitespace."""
    return " ".join(text.split())


def check_note(text: str | None, *, what: str, max_chars: int) -> str | None:
    """Return a person's text in its stored form; None if it is empty. Raises errors.Problem 422."""
    line = one_line(text or "")
    if not line:
        return None
    try:
        return check_prose(line, what=what, max_chars=max_chars)
    except ValueError as error:
        raise errors.invalid_body(str(error)) from error


class RecordedProblem(errors.Problem):
    """A problem that is recorded, although its unit of work is rolled back.

    The store runs `record` in a separate unit of work before it raises the problem again.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, record: Callable[[Unit], None]
    ) -> None:
        super().__init__(status, code, detail)
        self.record = record


@contextmanager
def error_member(member: str) -> Iterator[None]:
    """Set the member of errors that are raised inside, or by the decorated function.

    The names are those of the administration API. The innermost one applies.
    """
    try:
        yield
    except ChangeRefused as refused:
        refused.member = refused.member or member
        raise
