"""How far back a filter looks before it rests.

Owns: how many must fit, and how many may be looked at for them. Never: what fits, and the fetching.
"""

from dataclasses import dataclass

_WANTED = 20
MOST = 500
"""How many are looked at, at most, before the person is asked whether to go on."""


@dataclass(frozen=True, slots=True)
class SearchSpan:
    """One look back; it rests once enough fit, or enough were looked at."""

    wanted: int = _WANTED
    most: int = MOST

    @classmethod
    def beyond(cls, fitting: int, looked_at: int) -> "SearchSpan":
        """Return the look that goes on where so many fit of those that were looked at."""
        return cls(fitting + _WANTED, looked_at + MOST)

    def goes_on(self, fitting: int, looked_at: int) -> bool:
        """Tell whether there is reason to look at more."""
        return fitting < self.wanted and looked_at < self.most
