"""Which events of the live feed start or end an alert.

Owns: that mapping. Never: how an alert is shown.
"""

from approver_tui.attention.notifier import Notifier
from approver_tui.state.notifications.events import Event, EventName

_ENDS = frozenset({EventName.DECIDED, EventName.EXPIRED, EventName.CANCELLED, EventName.REDEEMED})

_AGAIN = frozenset({EventName.REMINDER, EventName.DIGEST})
"""Events about a request that may have been alerted before."""


def alert_for_event(caller: Notifier, event: Event) -> None:
    """Alert for new requests and reminders; end the alert of requests that have ended.

    The server decides whether a request may alert; it knows the quiet hours and mutes.
    """
    if event.approval is None:
        return
    if event.rings:
        caller.asked(event.approval, is_reminder=event.name in _AGAIN)
    elif event.name in _ENDS:
        caller.over(event.approval.id)
