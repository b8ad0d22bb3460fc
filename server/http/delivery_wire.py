"""What reached which device, as JSON."""

from collections.abc import Iterable

from pydantic import BaseModel

from server.services.approval_records import Delivery
from server.services.displays import rfc3339


class DeliveredTo(BaseModel):
    """One device: when it had a request, showed it, and answered it."""

    id: str
    name: str
    delivered_at: str
    seen_at: str | None
    decided_at: str | None


def devices(found: Iterable[Delivery] | None) -> list[DeliveredTo] | None:
    """What each device had; None where that is not told."""
    return None if found is None else [_device(one) for one in found]


def _device(one: Delivery) -> DeliveredTo:
    return DeliveredTo(
        id=one.device_id,
        name=one.device_name,
        delivered_at=rfc3339(one.delivered_at),
        seen_at=None if one.seen_at is None else rfc3339(one.seen_at),
        decided_at=None if one.decided_at is None else rfc3339(one.decided_at),
    )
