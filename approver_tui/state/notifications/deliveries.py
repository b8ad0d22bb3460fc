"""When each device received, showed and answered a request.

Owns: these times. Never: a clock.
"""

from dataclasses import dataclass

from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one device of this user received of a request."""

    device_id: str
    device_name: SafeText
    delivered_at: int
    seen_at: int | None
    decided_at: int | None
