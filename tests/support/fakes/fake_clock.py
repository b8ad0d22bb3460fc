"""A clock that stands still until a test moves it, for the terminal app."""

from dataclasses import dataclass
from datetime import UTC, datetime

NOW = int(datetime(2026, 11, 24, 14, 32, 7, tzinfo=UTC).timestamp()) * 1000


@dataclass
class FakeClock:
    """Both clocks of the app; they stand still until a test moves them."""

    ms: int = NOW

    def now(self) -> int:
        """Return the server's time."""
        return self.ms

    def ticks(self) -> float:
        """Return the time for delays."""
        return (self.ms - NOW) / 1000 + 100

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.ms += round(seconds * 1000)
