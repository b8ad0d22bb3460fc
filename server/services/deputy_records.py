"""What we remember of deputies, as frozen records."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Deputy:
    """One person decides for another between two moments, what its action type lets them."""

    id: str
    user_id: str
    """For whom."""
    deputy_id: str
    from_at: int
    to_at: int
    state: Literal["named", "begun", "over"]
    """`begun` once open requests were put before them; `over` when it ended, or was ended."""
    device_id: str
    """On which it was signed."""
    created_at: int
    revoked_at: int | None = None

    def in_force(self, now: int) -> bool:
        """Reports whether they decide at this moment."""
        return self.state != "over" and self.from_at <= now < self.to_at
