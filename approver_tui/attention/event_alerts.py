"""Which events of the live feed start or end an alert.

Owns: that mapping. Never: how an alert is shown.
"""

from approver_tui.attention.notifier import Notifier
from approver_tui.state.notifications.events import Event, EventName

_END_EVENTS = frozenset(
    {EventName.DECIDED, EventName.EXPIRED, EventName.CANCELLED, EventName.REDEEMED}
)

_REPEAT_EVENTS = frozenset({EventName.REMINDER, EventName.DIGEST})
"""Events about a request that may have been alerted before."""


def handle_event_alert(notifier: Notifier, event: Event) -> None:
    """Alert for new requests and reminders; end the alert of requests that have ended.

    The server decides whether a request may alert; it knows the quiet hours and mutes.
    """
    if event.approval is None:
        return
    if event.should_alert:
        notifier.add(event.approval, is_reminder=event.name in _REPEAT_EVENTS)
    elif event.name in _END_EVENTS:
        notifier.remove(event.approval.id)
