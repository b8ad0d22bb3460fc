"""The live feed: one WebSocket that survives everything but the end of the session.

Owns: dialling, back-off, renewing in band, the cursor. Never: what an event means.
"""

import threading
from collections.abc import Callable

from approver_tui.client.api import Client
from approver_tui.state.connection import Connection
from approver_tui.state.events import Event


class Feed:
    """The feed of one client; `run` blocks and belongs in a thread."""

    def __init__(self, client: Client, *, cursor: int | None = None) -> None: ...
    def run(
        self,
        on_event: Callable[[Event], None],
        on_connection: Callable[[Connection], None],
        stop: threading.Event,
        *,
        on_resync: Callable[[], None] = lambda: None,
    ) -> None: ...
