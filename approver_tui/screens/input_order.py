"""Handles one input at a time: the next one starts after the last one had all its effects.

Owns: waiting inputs, and when nothing is left to wait for. Never: what an input does; whether the
guard drops it.

Textual sends every key to the widget with the focus at that moment. The key then bubbles up to the
app, and only there does Tab move the focus. When keys arrive together, those behind a Tab would
reach the old field first: a PIN would be typed into a field that shows it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from textual import events
from textual.app import App

_LOOKS = 2
_LOOK_SECONDS = 0.001
_LONGEST_SECONDS = 10.0
"""After this many seconds the order is unclear, and waiting input is dropped."""


class InputOrder:
    """The inputs of one app, in the order in which they arrived."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[events.Event] = deque()
        self._due: events.Event | None = None
        self._settling: asyncio.Task[None] | None = None

    def holds_back(self, event: events.Event) -> bool:
        """Whether this input must wait. If so, the app receives it again in its turn."""
        if event is self._due:
            self._due = None
            return False
        if self._settling is not None and not self._settling.done():
            self._waiting.append(event)
            return True
        self._settling = asyncio.create_task(self._hand_on())
        return False

    async def _hand_on(self) -> None:
        try:
            await self._settle()
            while self._waiting and self._app.is_running:
                self._due = self._waiting.popleft()
                self._app.post_message(self._due)
                await self._settle()
        except TimeoutError:
            self._waiting.clear()

    async def _settle(self) -> None:
        """Wait for the effects; Tab finds a new field only after it was drawn."""
        async with asyncio.timeout(_LONGEST_SECONDS):
            await self._until(lambda: is_quiet(self._app))
            await self._until(self._drawing())
            await self._until(lambda: is_quiet(self._app))

    async def _until(self, is_so: Callable[[], bool]) -> None:
        """Wait until it is true at two checks; stops when the app ends."""
        looks = 0
        while looks < _LOOKS and self._app.is_running:
            await asyncio.sleep(_LOOK_SECONDS)
            looks = looks + 1 if is_so() else 0

    def _drawing(self) -> Callable[[], bool]:
        """Notify when the screen was drawn; a screen that closed never is."""
        drawn, top = asyncio.Event(), self._app.screen_stack[-1:]
        for screen in top:
            screen.call_after_refresh(drawn.set)
        return lambda: drawn.is_set() or self._app.screen_stack[-1:] != top


def is_quiet(app: App[Any]) -> bool:
    """Whether no message waits for the app or for anything on its screen."""
    if app.message_queue_size or not app.screen_stack:
        return False
    everything = app.screen.walk_children(with_self=True)
    return all(each.is_running and not each.message_queue_size for each in everything)
