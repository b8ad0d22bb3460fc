"""Deputies: users who can decide for another user during a period.

Owns: one deputy as it is shown. Times are integers, milliseconds since the epoch.
"""

from dataclasses import dataclass
from typing import NamedTuple

from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class Deputy:
    """A user who may decide for another user during a period."""

    id: SafeText
    user_name: SafeText
    """The user that the deputy decides for."""
    deputy_name: SafeText
    begins: int
    ends: int


class Deputies(NamedTuple):
    """The deputies of this user, and the users that they decide for."""

    mine: tuple[Deputy, ...]
    others: tuple[Deputy, ...]
