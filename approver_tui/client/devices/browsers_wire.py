"""Browsers with push notifications in the server's JSON.

Owns: which members are read, of active and lost browsers. Never: HTTP.
"""

from approver_tui.client.reading import JsonObject
from approver_tui.state.devices.devices import Browser


def read_browsers(members: JsonObject) -> tuple[Browser, ...]:
    """Return the active browsers, then those that their push service no longer knows."""
    active = [_read_active(each) for each in members.children("items")]
    return (*active, *(_read_lost(each) for each in members.children("lost")))


def _read_active(members: JsonObject) -> Browser:
    return Browser(
        device_id=members.child("device").text("id"),
        service=members.safe("service"),
        delivered_at=members.time_or_none("delivered_at"),
        is_dormant=members.boolean("dormant"),
        problem=members.safe_or_none("problem"),
    )


def _read_lost(members: JsonObject) -> Browser:
    return Browser(
        device_id=members.child("device").text("id"),
        service=members.safe("service"),
        lost_at=members.time("lost_at"),
    )
