"""The guard that keeps stray typing from deciding anything.

Owns: when keys, paste and mouse are accepted again after the screen changed unexpectedly; for how
long the user was away. Never: which change that was; the code that makes it arms the guard.

Users type into what was there a moment ago. So after the window got its focus back, a panel opened
or the selection moved by itself, input is dropped until 0.8 s have passed without a key.
"""

from collections.abc import Callable

from textual import events

QUIET_SECONDS = 0.8
"""The seconds without any key that end the dropping."""
AWAY_SECONDS = 10.0
"""The seconds without the window's focus after which the user counts as away."""
IDLE_SECONDS = 15 * 60.0
"""The seconds without any input after which the user counts as away, in any window."""


class InputGuard:
    """One guard per app. `ticks` is a monotonic clock in seconds."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._quiet_since: float | None = None
        self._is_button_held = False
        self._blurred_at: float | None = None
        self._last_input_at = ticks()

    def window_blurred(self) -> None:
        """Note that the window has lost its focus."""
        self._blurred_at = self._ticks()

    def window_focused(self) -> None:
        """Note that the window has the focus again, and start dropping input."""
        self._blurred_at = None
        self.arm()

    @property
    def is_user_away(self) -> bool:
        """Whether the user is away: long enough in another window, or without any input."""
        now = self._ticks()
        is_away = self._blurred_at is not None and now - self._blurred_at >= AWAY_SECONDS
        return is_away or now - self._last_input_at >= IDLE_SECONDS

    def arm(self) -> None:
        """Start dropping input, or start the time again."""
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
        """Whether this input must be dropped; a dropped key or paste restarts the time."""
        self._last_input_at = self._ticks()
        if isinstance(event, events.MouseEvent):
            return self._drops_mouse(event)
        if not self.is_blocking:
            return False
        self.arm()
        return True

    def _drops_mouse(self, event: events.MouseEvent) -> bool:
        """Drop the release of a dropped press too, or it would count as a click."""
        if isinstance(event, events.MouseMove):
            return False
        if isinstance(event, events.MouseDown):
            self._is_button_held = self.is_blocking
            return self._is_button_held
        if isinstance(event, events.MouseUp) and self._is_button_held:
            self._is_button_held = False
            return True
        return self.is_blocking
