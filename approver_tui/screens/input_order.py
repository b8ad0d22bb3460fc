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

_CHECKS = 2
_CHECK_SECONDS = 0.001
_LONGEST_SECONDS = 10.0
"""After this many seconds the order is unclear, and waiting input is dropped."""


class InputOrder:
    """The inputs of one app, in the order in which they arrived."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[events.Event] = deque()
        self._due: events.Event | None = None
        self._task: asyncio.Task[None] | None = None

    def defers(self, event: events.Event) -> bool:
        """Whether this input must wait. If so, the app receives it again in its turn."""
        if event is self._due:
            self._due = None
            return False
        if self._task is not None and not self._task.done():
            self._waiting.append(event)
            return True
        self._task = asyncio.create_task(self._release())
        return False

    async def _release(self) -> None:
        try:
            await self._wait_for_effects()
            while self._waiting and self._app.is_running:
                self._due = self._waiting.popleft()
                self._app.post_message(self._due)
                await self._wait_for_effects()
        except TimeoutError:
            self._waiting.clear()

    async def _wait_for_effects(self) -> None:
        """Wait for the effects; Tab finds a new field only after it was drawn."""
        async with asyncio.timeout(_LONGEST_SECONDS):
            await self._wait_until(lambda: has_no_messages(self._app))
            await self._wait_until(self._drawn_condition())
            await self._wait_until(lambda: has_no_messages(self._app))

    async def _wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until it is true at two checks; stops when the app ends."""
        checks = 0
        while checks < _CHECKS and self._app.is_running:
            await asyncio.sleep(_CHECK_SECONDS)
            checks = checks + 1 if condition() else 0

    def _drawn_condition(self) -> Callable[[], bool]:
        """Notify when the screen was drawn; a screen that closed never is."""
        drawn, top = asyncio.Event(), self._app.screen_stack[-1:]
        for screen in top:
            screen.call_after_refresh(drawn.set)
        return lambda: drawn.is_set() or self._app.screen_stack[-1:] != top


def has_no_messages(app: App[Any]) -> bool:
    """Whether no message waits for the app or for anything on its screen."""
    if app.message_queue_size or not app.screen_stack:
        return False
    everything = app.screen.walk_children(with_self=True)
    return all(each.is_running and not each.message_queue_size for each in everything)
