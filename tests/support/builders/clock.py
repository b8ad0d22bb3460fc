"""A clock that stands still until a test moves it."""

from dataclasses import dataclass

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

NOON = 1_760_000_000_000
"""The time at which the clock starts."""


@dataclass(slots=True)
class MovableClock:
    """The port `Clock`, moved by the test."""

    moment: int = NOON

    def now(self) -> int:
        """Return milliseconds since the epoch."""
        return self.moment

    def adjust(self, moment: int) -> int:  # noqa: ARG002  # the port's signature
        """Return the test's own time; the time of the database is ignored."""
        return self.moment

    def forward(self, milliseconds: int) -> None:
        """Let time pass."""
        self.moment += milliseconds
