"""How far back a filter searches before it pauses.

Owns: how many matches are enough, and how many entries to look at. Never: the matching and the
fetching.
"""

from dataclasses import dataclass

_WANTED = 20
MOST = 500
"""How many entries to look at before asking the user whether to continue."""


@dataclass(frozen=True, slots=True)
class SearchSpan:
    """One search; it pauses after enough matches or enough entries."""

    wanted: int = _WANTED
    most: int = MOST

    @classmethod
    def beyond(cls, fitting: int, looked_at: int) -> "SearchSpan":
        """Return the search that continues after this one."""
        return cls(fitting + _WANTED, looked_at + MOST)

    def goes_on(self, fitting: int, looked_at: int) -> bool:
        """Whether to look at more entries."""
        return fitting < self.wanted and looked_at < self.most
