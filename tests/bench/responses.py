"""The expected response of a benchmark, which fails on any other response.

Owns: the rule that a measurement counts only if every response is as expected. Never: figures.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


class UnexpectedResponses(Exception):
    """A benchmark got unexpected responses, so its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected response of a benchmark: its status, and a text in its body."""

    status: int
    body: str

    @property
    def label(self) -> str:
        """Return the label under which it is counted."""
        return f"{self.status} {self.body}"

    def matches(self, status: int, body: str) -> bool:
        """Report whether a response is as expected."""
        return status == self.status and self.body in body


def check(what: str, expected: str, responses: Mapping[str, int]) -> None:
    """Raise `UnexpectedResponses` unless there is a response and all have the expected label."""
    if set(responses) == {expected}:
        return
    counts = ", ".join(f"{count} x {label}" for label, count in Counter(responses).most_common())
    raise UnexpectedResponses(f"{what}: expected only {expected}; got {counts or 'no response'}")
