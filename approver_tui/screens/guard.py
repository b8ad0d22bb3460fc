"""The guard that keeps running typing from deciding anything.

Owns: when keys, paste and mouse are heard again after something changed under a person's hands;
for how long nobody was there. Never: which change that was; whoever makes one arms the guard.

A person types into what was there a moment ago. So after the window got its focus back, a panel
opened or the selection moved by itself, input is dropped until 0.8 s have passed without a key.
"""

from collections.abc import Callable

from textual import events

QUIET = 0.8
"""The seconds without any key that end the guard's watch."""
AWAY = 10.0
"""The seconds without the window's focus after which the person counts as gone."""
IDLE = 15 * 60.0
"""The seconds without any input after which they do, in whatever window they are."""


class InputGuard:
    """One guard per app. `ticks` is a clock in seconds that only ever goes forward."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._quiet_since: float | None = None
        self._is_button_held = False
        self._left_at: float | None = None
        self._heard_at = ticks()

    def leave(self) -> None:
        """Note that the window has lost its focus."""
        self._left_at = self._ticks()

    def come_back(self) -> None:
        """Note that it has the focus again, and start the watch."""
        self._left_at = None
        self.arm()

    @property
    def is_deserted(self) -> bool:
        """Whether the person is gone: long enough in another window, or without any input."""
        now = self._ticks()
        is_away = self._left_at is not None and now - self._left_at >= AWAY
        return is_away or now - self._heard_at >= IDLE

    def arm(self) -> None:
        """Start the watch, or start it again."""
        self._quiet_since = self._ticks()

    @property
    def is_holding(self) -> bool:
        """Whether input is being dropped at the moment."""
        if self._quiet_since is None:
            return False
        if self._ticks() - self._quiet_since < QUIET:
            return True
        self._quiet_since = None
        return False

    def drops(self, event: events.Event) -> bool:
        """Tell whether this input must not be heard; a dropped key or paste prolongs the watch."""
        self._heard_at = self._ticks()
        if isinstance(event, events.MouseEvent):
            return self._drops_mouse(event)
        if not self.is_holding:
            return False
        self.arm()
        return True

    def _drops_mouse(self, event: events.MouseEvent) -> bool:
        """A press that was dropped takes its release along, or the release would be a click."""
        if isinstance(event, events.MouseMove):
            return False
        if isinstance(event, events.MouseDown):
            self._is_button_held = self.is_holding
            return self._is_button_held
        if isinstance(event, events.MouseUp) and self._is_button_held:
            self._is_button_held = False
            return True
        return self.is_holding
