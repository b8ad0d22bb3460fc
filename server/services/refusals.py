"""Why an administrator's change was not made. Nothing was changed when one of these is raised.

    Refused
     ├─ NotFound     what was named does not exist
     ├─ Exists       what should be added is there already
     ├─ Conflict     the state of things does not allow it
     └─ Invalid      the request itself cannot be carried out as it is

The message says what to do about it. It may repeat what the administrator wrote, so whoever prints
it makes it safe first.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from server.model.store import Unit
from server.protocol import errors


class ChangeRefused(Exception):
    """A change that was not made; `member` of what was sent is why, "" where it is none alone."""

    def __init__(self, message: str = "", *, member: str = "") -> None:
        super().__init__(message)
        self.member = member


class NotFound(ChangeRefused):
    """What was named does not exist."""


class Exists(ChangeRefused):
    """What should be added is there already."""


class Conflict(ChangeRefused):
    """The state of things does not allow it."""


class Invalid(ChangeRefused):
    """The request itself cannot be carried out as it is."""


class Recorded(errors.Problem):
    """A refusal of the JSON API that is recorded although its unit of work is rolled back.

    The store runs `record` in a unit of work of its own before the refusal goes on to the caller.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, record: Callable[[Unit], None]
    ) -> None:
        super().__init__(status, code, detail)
        self.record = record


@contextmanager
def about(member: str) -> Iterator[None]:
    """What is refused inside, or by the function that this decorates, is for this member.

    The names are those of the bodies of the administration API; the innermost one counts.
    """
    try:
        yield
    except ChangeRefused as refused:
        refused.member = refused.member or member
        raise
