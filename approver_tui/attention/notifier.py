"""Sends alerts by bell, terminal or desktop, and repeats them.

Owns: which events start or end an alert, which channel an alert uses. Several threads may use one
notifier. Never: blocking; a desktop notification runs in its own thread.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from approver_tui.attention import desktop, terminal_sequences
from approver_tui.attention.alert_schedule import Alert, AlertSchedule
from approver_tui.attention.preferences import AlertLevel, AlertPreferences, TerminalSequence
from approver_tui.attention.terminal_environment import TerminalEnvironment
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.notifications.events import Event, EventName

_END_EVENTS = frozenset(
    {EventName.DECIDED, EventName.EXPIRED, EventName.CANCELLED, EventName.REDEEMED}
)

_REPEAT_EVENTS = frozenset({EventName.REMINDER, EventName.DIGEST})
"""Events that alert again, even if the request has already caused an alert."""


@dataclass(slots=True)
class Notifier:
    """Alerts the user to waiting requests."""

    schedule: AlertSchedule
    terminal_environment: TerminalEnvironment
    write: Callable[[str], None]
    """Writes an escape sequence to the terminal."""
    show: Callable[[str], object] = desktop.show
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, approval: Approval, *, is_reminder: bool = False) -> None:
        """Alert for a new request, or again for a known one if the server sent a reminder."""
        with self._lock:
            if is_reminder:
                self.schedule.remove(approval.id)
            alert = self.schedule.add(approval.id, approval.risk)
        self._send(alert)

    def remove(self, approval_id: str) -> None:
        """End the alerts of a request."""
        with self._lock:
            self.schedule.remove(approval_id)

    def clear(self) -> None:
        """End all repeated alerts: the user is active."""
        with self._lock:
            self.schedule.clear()

    def tick(self) -> None:
        """Send the repeated alert that is due."""
        with self._lock:
            alert = self.schedule.due()
        self._send(alert)

    def _send(self, alert: Alert | None) -> None:
        if alert is None:
            return
        output, is_for_desktop = plan_delivery(
            alert, self.schedule.preferences, self.terminal_environment
        )
        self.write(output)
        if is_for_desktop:
            threading.Thread(target=self.show, args=(alert.text,), daemon=True).start()


def plan_delivery(
    alert: Alert, prefs: AlertPreferences, environment: TerminalEnvironment
) -> tuple[str, bool]:
    """Return what to write to the terminal, and whether to notify the desktop too.

    A terminal that shows notifications reaches the user even over SSH. In that case the desktop of
    this machine is not used, so that nothing is shown twice.
    """
    if alert.level is not AlertLevel.DESKTOP:
        return terminal_sequences.BELL, False
    sequence = terminal_sequences.choose_sequence(prefs.sequence, environment)
    output = terminal_sequences.BELL + terminal_sequences.notification_sequence(
        sequence, alert.text, environment
    )
    is_at_desktop = environment.has_desktop and not environment.is_remote
    return output, sequence is TerminalSequence.NONE and is_at_desktop


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
