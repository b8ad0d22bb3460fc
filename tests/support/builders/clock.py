"""A clock that stands still until a test moves it."""

from dataclasses import dataclass

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

NOON = 1_760_000_000_000
"""Where it starts; an ordinary moment."""


@dataclass(slots=True)
class MovableClock:
    """The port `Clock`, in the hands of a test."""

    moment: int = NOON

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self.moment

    def adjust(self, moment: int) -> int:  # noqa: ARG002  # the port's signature
        """The test's own time counts, not the time of the database."""
        return self.moment

    def forward(self, milliseconds: int) -> None:
        """Let time pass."""
        self.moment += milliseconds
