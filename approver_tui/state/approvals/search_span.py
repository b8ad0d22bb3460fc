"""How far back a filter searches before it pauses.

Owns: how many matches are enough, and how many entries to look at. Never: the matching and the
fetching.
"""

from dataclasses import dataclass

_PAGE_MATCHES = 20
MAX_SCANNED = 500
"""How many entries to look at before asking the user whether to continue."""


@dataclass(frozen=True, slots=True)
class SearchSpan:
    """One search; it pauses after enough matches or enough entries."""

    max_matches: int = _PAGE_MATCHES
    max_scanned: int = MAX_SCANNED

    @classmethod
    def beyond(cls, matching: int, scanned: int) -> "SearchSpan":
        """Return the search that continues after one with these counts."""
        return cls(matching + _PAGE_MATCHES, scanned + MAX_SCANNED)

    def should_continue(self, matching: int, scanned: int) -> bool:
        """Whether to look at more entries."""
        return matching < self.max_matches and scanned < self.max_scanned
