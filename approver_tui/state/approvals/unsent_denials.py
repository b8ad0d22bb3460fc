"""A denial that a person gave and that may never have left: the program ended within its seconds.

Owns: the value. Never: sends it; whoever starts the program again is told, and decides anew.
"""

from dataclasses import dataclass

from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class UnsentDenial:
    """What was about to be denied."""

    approval_id: str
    headline: SafeText
