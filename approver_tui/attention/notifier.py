"""Who calls the person: rings, asks the terminal, asks the desktop, and does so again.

Owns: which of them an alert takes here. Several threads may use one caller.
Never: blocks; what a desktop needs happens in a thread of its own.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from approver_tui.attention import desktop, terminal_sequences
from approver_tui.attention.alert_schedule import Alert, AlertSchedule
from approver_tui.attention.preferences import AlertLevel, AlertPreferences, TerminalSequence
from approver_tui.attention.terminal_environment import TerminalEnvironment
from approver_tui.state.approvals.approvals import Approval


@dataclass(slots=True)
class Notifier:
    """The way from a request to a person who looks elsewhere."""

    ringer: AlertSchedule
    terminal_environment: TerminalEnvironment
    write: Callable[[str], None]
    """Writes to the terminal, past everything that would make it visible."""
    show: Callable[[str], object] = desktop.show
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, approval: Approval, *, is_reminder: bool = False) -> None:
        """Tell of a new request, as its risk is told; of a known one if the server reminds."""
        with self._turn:
            if is_reminder:
                self.ringer.over(approval.id)
            alert = self.ringer.asked(approval.id, approval.risk)
        self._tell(alert)

    def over(self, approval_id: str) -> None:
        """Tell no more of a request."""
        with self._turn:
            self.ringer.over(approval_id)

    def noticed(self) -> None:
        """Take the person for being there."""
        with self._turn:
            self.ringer.noticed()

    def tick(self) -> None:
        """Tell again what is due."""
        with self._turn:
            alert = self.ringer.due()
        self._tell(alert)

    def _tell(self, alert: Alert | None) -> None:
        if alert is None:
            return
        written, is_for_desktop = plan(alert, self.ringer.preferences, self.terminal_environment)
        self.write(written)
        if is_for_desktop:
            threading.Thread(target=self.show, args=(alert.text,), daemon=True).start()


def plan(alert: Alert, wanted: AlertPreferences, around: TerminalEnvironment) -> tuple[str, bool]:
    """Return what is written to the terminal, and whether the desktop is asked too.

    A terminal that shows notifications is at the person's side even over SSH, so where there is one
    this machine's own desktop is left alone, and nothing is told twice.
    """
    if alert.way is not AlertLevel.DESKTOP:
        return terminal_sequences.BELL, False
    sequence = terminal_sequences.chosen(wanted.sequence, around)
    written = terminal_sequences.BELL + terminal_sequences.notification(
        sequence, alert.text, around
    )
    is_here = around.has_desktop and not around.is_remote
    return written, sequence is TerminalSequence.NONE and is_here
