"""The JSON of feed events."""

from server.http.approvals.approval_wire import approval
from server.http.devices.device_wire import device
from server.services.clients import icons
from server.services.notifications.feed import FeedItem
from server.services.policy.displays import rfc3339


def event(item: FeedItem) -> dict[str, object]:
    """A feed event as a JSON frame."""
    frame: dict[str, object] = {
        "type": "event",
        "seq": item.event.seq,
        "event": item.event.event,
        "at": rfc3339(item.event.at),
        "held": item.event.not_notified_because,
    }
    if item.approval is not None:
        frame["approval"] = approval(item.approval).model_dump(exclude={"nonce", "devices"})
    if item.icon is not None:
        frame["icon"] = icons.path_of(item.icon)
    if item.device is not None:
        frame["device"] = device(item.device, this=False, nonce=None).model_dump()
    if item.agent is not None:
        frame["agent"] = {"id": item.event.agent_id, "name": item.agent}
    if item.event.incident_id is not None:
        frame["incident"] = item.event.incident_id
    return frame
