"""Handles one input at a time, each after the previous one has taken full effect.

Owns: the waiting inputs, and detecting that an input has taken effect. Never: the effect of an
input; deciding whether the guard drops it.

Textual sends every key to the widget that has the focus at that moment. The key then bubbles up to
the app, where Tab moves the focus. If keys arrive together, keys after a Tab would reach the old
field, so a PIN could be typed into a field that shows it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from textual import events
from textual.app import App

_REQUIRED_CHECKS = 2
_CHECK_SECONDS = 0.001
_TIMEOUT_SECONDS = 10.0
"""After this many seconds without full effect, waiting input is dropped."""


class InputOrder:
    """Keeps the inputs of an app in the order in which they arrived."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[events.Event] = deque()
        self._due: events.Event | None = None
        self._task: asyncio.Task[None] | None = None

    def defers(self, event: events.Event) -> bool:
        """Whether this input must wait. If so, the app receives it again later."""
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
        """Wait until an input has taken effect, which includes drawing fields it added for Tab."""
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await self._wait_until(lambda: has_no_messages(self._app))
            await self._wait_until(self._drawn_condition())
            await self._wait_until(lambda: has_no_messages(self._app))

    async def _wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition is true at two checks in a row, or the app ends."""
        checks = 0
        while checks < _REQUIRED_CHECKS and self._app.is_running:
            await asyncio.sleep(_CHECK_SECONDS)
            checks = checks + 1 if condition() else 0

    def _drawn_condition(self) -> Callable[[], bool]:
        """Return a condition that is true once the top screen was drawn or replaced."""
        drawn, top = asyncio.Event(), self._app.screen_stack[-1:]
        for screen in top:
            screen.call_after_refresh(drawn.set)
        return lambda: drawn.is_set() or self._app.screen_stack[-1:] != top


def has_no_messages(app: App[Any]) -> bool:
    """Whether no message waits for the app or for any widget of its top screen."""
    if app.message_queue_size or not app.screen_stack:
        return False
    nodes = app.screen.walk_children(with_self=True)
    return all(node.is_running and not node.message_queue_size for node in nodes)
