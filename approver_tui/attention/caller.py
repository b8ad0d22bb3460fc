"""Who calls the person: rings, asks the terminal, asks the desktop, and does so again.

Owns: which of them an alert takes here. Several threads may use one caller.
Never: blocks; what a desktop needs happens in a thread of its own.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from approver_tui.attention import desktop, sequences
from approver_tui.attention.preferences import Preferences, Sequence, Way
from approver_tui.attention.ringer import Alert, Ringer
from approver_tui.attention.surroundings import Surroundings
from approver_tui.state.approvals import Approval


@dataclass(slots=True)
class Caller:
    """The way from a request to a person who looks elsewhere."""

    ringer: Ringer
    surroundings: Surroundings
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
        written, is_for_desktop = plan(alert, self.ringer.preferences, self.surroundings)
        self.write(written)
        if is_for_desktop:
            threading.Thread(target=self.show, args=(alert.text,), daemon=True).start()


def plan(alert: Alert, wanted: Preferences, around: Surroundings) -> tuple[str, bool]:
    """Return what is written to the terminal, and whether the desktop is asked too.

    A terminal that shows notifications is at the person's side even over SSH, so where there is one
    this machine's own desktop is left alone, and nothing is told twice.
    """
    if alert.way is not Way.DESKTOP:
        return sequences.BELL, False
    sequence = sequences.chosen(wanted.sequence, around)
    written = sequences.BELL + sequences.notification(sequence, alert.text, around)
    is_here = around.has_desktop and not around.is_remote
    return written, sequence is Sequence.NONE and is_here
