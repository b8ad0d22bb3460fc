"""When each device received, showed and answered a request.

Owns: these times. Never: reading a clock.
"""

from dataclasses import dataclass

from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class Delivery:
    """The notification of a request on one device of this user."""

    device_id: str
    device_name: SafeText
    delivered_at: int
    seen_at: int | None
    decided_at: int | None
