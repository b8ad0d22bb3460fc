"""An event of the feed, as a JSON frame."""

from server.http.approvals.approval_wire import approval
from server.http.devices.device_wire import device
from server.services.notifications.feed import FeedItem
from server.services.policy.displays import rfc3339


def event(happening: FeedItem) -> dict[str, object]:
    """A feed event as a JSON frame."""
    frame: dict[str, object] = {
        "type": "event",
        "seq": happening.event.seq,
        "event": happening.event.event,
        "at": rfc3339(happening.event.at),
        "held": happening.event.held,
    }
    if happening.approval is not None:
        frame["approval"] = approval(happening.approval).model_dump(exclude={"nonce", "devices"})
    if happening.device is not None:
        frame["device"] = device(happening.device, this=False, nonce=None).model_dump()
    if happening.agent is not None:
        frame["agent"] = {"id": happening.event.agent_id, "name": happening.agent}
    if happening.event.incident_id is not None:
        frame["incident"] = happening.event.incident_id
    return frame
