"""What an event of the live feed means to whoever calls the person: one table.

Owns: which events ring and which end the ringing. Never: how.
"""

from approver_tui.attention.notifier import Notifier
from approver_tui.state.notifications.events import Event, EventName

_ENDS = frozenset({EventName.DECIDED, EventName.EXPIRED, EventName.CANCELLED, EventName.REDEEMED})

_AGAIN = frozenset({EventName.REMINDER, EventName.DIGEST})
"""What tells of a request that may have been told of before."""


def alert_for_event(caller: Notifier, event: Event) -> None:
    """Ring for what was asked and for reminders, stop for what is over.

    Whether a request may ring is the server's to say: quiet hours and mutes are known there.
    """
    if event.approval is None:
        return
    if event.rings:
        caller.asked(event.approval, is_reminder=event.name in _AGAIN)
    elif event.name in _ENDS:
        caller.over(event.approval.id)
