"""What reached which device.

Owns: when a device had a request, showed it and answered it. Never: a clock.
"""

from dataclasses import dataclass

from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one of this person's devices had of a request."""

    device_id: str
    device_name: SafeText
    delivered_at: int
    seen_at: int | None
    decided_at: int | None
