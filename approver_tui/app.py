"""The terminal app: wires the client to the screens and watches over all input.

Owns: the wiring, the input guard's place in the event loop, the real clocks.
Never: an answer; that takes a panel. `make_app` serves production and tests alike.
"""

import gc
import time
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType

from approver_tui import settings
from approver_tui.client.api import open_client
from approver_tui.client.deciding import Decider
from approver_tui.client.feed import Feed
from approver_tui.client.hardening import keep_memory_private
from approver_tui.client.neighbour import server_folder_is_open
from approver_tui.client.profile import Home
from approver_tui.screens.desk import HERE, Answers, Desk, Place, Server, Stream
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.inbox import InboxScreen
from approver_tui.widgets.theme import SAYSO


class ApproverApp(App[None]):
    """Sayso in a terminal."""

    TITLE = "Sayso"
    CSS_PATH = "approver.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (96, "-wide")]  # noqa: RUF012  (Textual's declaration)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall")]  # noqa: RUF012  (Textual's declaration)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", show=False),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.register_theme(SAYSO)
        self.theme = SAYSO.name

    def on_mount(self) -> None:
        """Open the inbox; after ctrl+z whatever is typed was meant for the shell."""
        self.app_resume_signal.subscribe(self, lambda _app: self.desk.guard.arm())
        self.push_screen(InboxScreen(self.desk))

    async def on_event(self, event: events.Event) -> None:
        """Ask the guard about every input, before Textual acts on it.

        Textual gives the app its focus back inside this very call for the first key or press
        after a blur, so a guard that looked later would already let that one through.
        """
        if isinstance(event, events.AppFocus):
            self.desk.guard.arm()
        elif self._is_input(event) and self._is_dropped(event):
            return
        await super().on_event(event)

    async def action_quit(self) -> None:
        """Leave by way of the inbox, which may have an answer to send first."""
        for screen in self.screen_stack:
            if isinstance(screen, InboxScreen):
                screen.action_leave()
                return
        self.exit()

    def _is_input(self, event: events.Event) -> bool:
        return isinstance(event, (events.InputEvent, events.Paste)) and not event.is_forwarded

    def _is_dropped(self, event: events.Event) -> bool:
        if not self.app_focus and isinstance(event, (events.Key, events.MouseDown)):
            self.app_focus = True
            self.desk.guard.arm()
        if self.desk.guard.drops(event):
            return True
        self.desk.answers.touch()
        return False


def make_app(
    client: Server,
    feed: Stream,
    answers: Answers,
    *,
    clock: Callable[[], int] | None = None,
    ticks: Callable[[], float] = time.monotonic,
    place: Place = HERE,
) -> ApproverApp:
    """Return the app over a client, a feed and the way to answer.

    `clock` is the server's time in milliseconds since the epoch (the client's reckoning of it by
    default), `ticks` a clock in seconds for delays.
    """
    return ApproverApp(
        Desk(
            server=client,
            answers=answers,
            feed=feed,
            guard=InputGuard(ticks),
            now=client.now if clock is None else clock,
            ticks=ticks,
            place=place,
        )
    )


def run() -> None:
    """Open the app for the enrolment of this machine. Raises LoginFirst without one.

    All that was imported stays until the end. The garbage collector need not look at it again:
    that would hold up one request in twenty on its way to the screen, for longer than all the rest.
    """
    keep_memory_private()
    chosen = settings.load()
    client = open_client(Home.at(chosen.home), clock=settings.wall_clock)
    is_open = server_folder_is_open(client.profile.issuer, chosen.server_folder) is not None
    gc.freeze()
    try:
        make_app(client, Feed(client), Decider(client), place=Place(folder_is_open=is_open)).run()
    finally:
        client.close()
