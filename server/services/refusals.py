"""The errors of administrative changes. If one is raised, nothing was changed.

    ChangeRefused
     ├─ NotFound     the named record does not exist
     ├─ Exists       the new record already exists
     ├─ Conflict     the current state does not allow the change
     └─ Invalid      the request is invalid

The message says how to fix it. It may contain the administrator's input, so callers must escape it
before they print it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from server.model.store import Unit
from server.protocol import errors


class ChangeRefused(Exception):
    """A change was refused. `member` is the invalid member; "" if it is not about a single one."""

    def __init__(self, message: str = "", *, member: str = "") -> None:
        super().__init__(message)
        self.member = member


class NotFound(ChangeRefused):
    """The named record does not exist."""


class Exists(ChangeRefused):
    """The new record already exists."""


class Conflict(ChangeRefused):
    """The current state does not allow the change."""


class Invalid(ChangeRefused):
    """The request is invalid."""


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
def about(member: str) -> Iterator[None]:
    """Set the member of errors that are raised inside, or by the decorated function.

    The names are those of the administration API. The innermost one applies.
    """
    try:
        yield
    except ChangeRefused as refused:
        refused.member = refused.member or member
        raise
