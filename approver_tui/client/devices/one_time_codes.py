"""One-time codes that sign in another device.

Owns: reading the server's answer. Never: the signature that requests one.
"""

from dataclasses import dataclass

from approver_tui.client.reading import JsonObject
from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """A code, the link to its page for a browser, and its expiry."""

    code: SafeText
    link: SafeText
    expires_at: int


def read_one_time_code(members: JsonObject) -> OneTimeCode:
    """Return a new code."""
    return OneTimeCode(
        members.safe("enrollment_code"), members.safe("link"), members.time("expires_at")
    )
