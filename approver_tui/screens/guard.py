"""The guard that keeps stray typing from deciding anything.

Owns: when input is accepted again after the screen changed unexpectedly; whether the user is away.
Never: detecting such a change; the code that makes the change arms the guard.

Users type into what they saw a moment ago. Therefore, after the window regains focus, a panel opens
or the selection moves by itself, input is dropped until 0.8 s have passed without a key.
"""

from collections.abc import Callable

from textual import events

QUIET_SECONDS = 0.8
"""How many seconds without a key must pass before input is accepted again."""
AWAY_SECONDS = 10.0
"""After this many seconds without window focus, the user counts as away."""
IDLE_SECONDS = 15 * 60.0
"""After this many seconds without input, the user counts as away even with window focus."""


class InputGuard:
    """The guard of an app. `ticks` is a monotonic clock in seconds."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._quiet_since: float | None = None
        self._is_press_dropped = False
        self._blurred_at: float | None = None
        self._last_input_at = ticks()

    def window_blurred(self) -> None:
        """Record that the window lost focus."""
        self._blurred_at = self._ticks()

    def window_focused(self) -> None:
        """Record that the window regained focus, and start dropping input."""
        self._blurred_at = None
        self.arm()

    @property
    def is_user_away(self) -> bool:
        """Whether the window was out of focus, or without input, for long enough."""
        now = self._ticks()
        is_elsewhere = self._blurred_at is not None and now - self._blurred_at >= AWAY_SECONDS
        return is_elsewhere or now - self._last_input_at >= IDLE_SECONDS

    def arm(self) -> None:
        """Start dropping input, or restart the quiet time."""
        self._quiet_since = self._ticks()

    @property
    def is_blocking(self) -> bool:
        """Whether input is being dropped now."""
        if self._quiet_since is None:
            return False
        if self._ticks() - self._quiet_since < QUIET_SECONDS:
            return True
        self._quiet_since = None
        return False

    def drops(self, event: events.Event) -> bool:
        """Whether this input must be dropped; a dropped key or paste restarts the quiet time."""
        self._last_input_at = self._ticks()
        if isinstance(event, events.MouseEvent):
            return self._drops_mouse(event)
        if not self.is_blocking:
            return False
        self.arm()
        return True

    def _drops_mouse(self, event: events.MouseEvent) -> bool:
        """Also drop the release of a dropped press, which would otherwise count as a click."""
        if isinstance(event, events.MouseMove):
            return False
        if isinstance(event, events.MouseDown):
            self._is_press_dropped = self.is_blocking
            return self._is_press_dropped
        if isinstance(event, events.MouseUp) and self._is_press_dropped:
            self._is_press_dropped = False
            return True
        return self.is_blocking
