"""The devices that received a request, in the server's JSON.

Owns: the member `devices` of an approval. Never: the rest of it; wire.py has that.
"""

from approver_tui.client.reading import JsonObject
from approver_tui.state.notifications.deliveries import Delivery


def read_deliveries(members: JsonObject) -> tuple[Delivery, ...]:
    """Return what each device received; empty if the server does not say."""
    if members.values.get("devices") is None:
        return ()
    return tuple(_read_delivery(each) for each in members.children("devices"))


def _read_delivery(members: JsonObject) -> Delivery:
    return Delivery(
        device_id=members.text("id"),
        device_name=members.safe("name"),
        delivered_at=members.time("delivered_at"),
        seen_at=members.time_or_none("seen_at"),
        decided_at=members.time_or_none("decided_at"),
    )
