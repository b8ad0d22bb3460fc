"""The state of the live feed's connection, as a table.

Owns: the phases and the transitions between them. Never: sockets, timers.
"""

from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.text import SafeText

_NO_REASON = SafeText("")


class Phase(StrEnum):
    """How fresh the screen is."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    LIVE = "live"
    SIGNED_OUT = "signed out"
    """Final: no more attempts to connect."""


class Signal(StrEnum):
    """A connection event."""

    DIAL = "dial"
    OPENED = "opened"
    LOST = "lost"
    ENDED = "ended"
    """The server no longer accepts this device's session."""


TRANSITIONS = {
    (Phase.OFFLINE, Signal.DIAL): Phase.CONNECTING,
    (Phase.CONNECTING, Signal.OPENED): Phase.LIVE,
    (Phase.CONNECTING, Signal.LOST): Phase.OFFLINE,
    (Phase.LIVE, Signal.LOST): Phase.OFFLINE,
    (Phase.OFFLINE, Signal.ENDED): Phase.SIGNED_OUT,
    (Phase.CONNECTING, Signal.ENDED): Phase.SIGNED_OUT,
    (Phase.LIVE, Signal.ENDED): Phase.SIGNED_OUT,
}
"""All transitions; a signal without a row changes nothing."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The state of the live feed."""

    phase: Phase = Phase.OFFLINE
    since: int = 0
    """When this phase began, in milliseconds since the epoch."""
    reason: SafeText = _NO_REASON
    """Why the feed is down, as the user sees it; empty while it is live."""

    def after(self, signal: Signal, *, now: int, reason: SafeText = _NO_REASON) -> "Connection":
        """Return the connection after `signal`. The last reason is kept while connecting."""
        phase = TRANSITIONS.get((self.phase, signal))
        if phase is None:
            return self
        safe_text = self.reason if phase is Phase.CONNECTING else reason
        return Connection(phase=phase, since=now, reason=safe_text)

    @property
    def is_live(self) -> bool:
        """Whether the screen is up to date with the server."""
        return self.phase is Phase.LIVE
