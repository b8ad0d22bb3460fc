"""The expected answer of a benchmark, and the failure on any other.

Owns: the rule that a measurement counts only when every answer is the expected one. Never: figures.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


class WrongAnswers(Exception):
    """A benchmark got unexpected answers, so its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected answer of a benchmark: its status, and a text in its body."""

    status: int
    body: str

    @property
    def label(self) -> str:
        """How it is counted."""
        return f"{self.status} {self.body}"

    def matches(self, status: int, body: str) -> bool:
        """Reports whether an answer is this one."""
        return status == self.status and self.body in body


def check(what: str, expected: str, answers: Mapping[str, int]) -> None:
    """Raise `WrongAnswers` unless all answers have the expected label and there is at least one."""
    if set(answers) == {expected}:
        return
    counted = ", ".join(f"{count} x {label}" for label, count in Counter(answers).most_common())
    raise WrongAnswers(f"{what}: expected only {expected}; got {counted or 'no answer'}")
