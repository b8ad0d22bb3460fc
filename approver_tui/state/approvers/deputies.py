"""Who decides for whom, and until when.

Owns: one deputy as it is shown. Times are integers, milliseconds since the epoch.
"""

from dataclasses import dataclass

from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class Deputy:
    """One person decides for another between two moments."""

    id: SafeText
    user_name: SafeText
    """For whom."""
    deputy_name: SafeText
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Deputies:
    """Whom this person named, and for whom they decide or will."""

    mine: tuple[Deputy, ...]
    others: tuple[Deputy, ...]
