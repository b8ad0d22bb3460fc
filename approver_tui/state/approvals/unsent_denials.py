"""A denial that may not have been sent because the program ended first.

Owns: the value. Never: sending it; at the next start the user is told and decides again.
"""

from dataclasses import dataclass

from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class UnsentDenial:
    """A request that was about to be denied."""

    approval_id: str
    headline: SafeText
