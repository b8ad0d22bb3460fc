"""The user's consents for agents and apps.

Owns: one consent as it is shown. Never: creating one; that requires an approval.

Times are integers, milliseconds since the epoch.
"""

from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.text import LongLine, SafeText


class ConsentState(StrEnum):
    """The state of a consent."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Consent:
    """Who may use what, where, and until when."""

    id: SafeText
    state: ConsentState
    client_id: SafeText
    client_name: SafeText
    app_name: SafeText | None
    """The app whose page asked for it, if it is not the client itself."""
    resource: LongLine
    scopes: tuple[SafeText, ...]
    created_at: int
    expires_at: int
    revoked_at: int | None
