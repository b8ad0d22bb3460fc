"""The terminal app: a frame at once, and the inbox as soon as the rest of the program is there.

Owns: the way from the first frame to the inbox, the way between the pages, the real clock.
Never: an answer; that takes a panel. How the screens get at a server is `wiring.py`, which is
imported once the first frame stands: a person sees in whose hands they are before the client, the
socket and six pages are loaded.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeAlias

from textual import on
from textual.message import Message

from approver_tui import loading, settings
from approver_tui.client.errors import LoginFirst
from approver_tui.client.operations.hardening import keep_memory_private
from approver_tui.client.sign_in.profile import Home, load_required
from approver_tui.messages import LoginWanted, SignInWanted
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.guarded_app import GuardedApp
from approver_tui.screens.opening import OpeningScreen
from approver_tui.state.keymap import Keymap

if TYPE_CHECKING:
    from approver_tui.screens.approvals.inbox import InboxScreen
    from approver_tui.screens.context import ScreenContext

FIRST_WORDS = "Sayso shows what AI agents want to do in your name, and you answer."
"""What a person reads in the first minute."""

_ANOTHER = "Another server: what you are logged in to stays, and 6 Settings goes over and back."

LAST_WORDS = 2.0
"""How long, in seconds, an answer that is on its way keeps the terminal when the app is ended."""

Ring: TypeAlias = Callable[[str], None]
"""Writes a control sequence that moves and draws nothing to the terminal."""
AppLoader: TypeAlias = Callable[[Ring], "Callable[[], InboxScreen]"]
"""Loads the rest of the program and says how its inbox is made; runs in a thread, may take long."""


class AppLoaded(Message):
    """The rest of the program is there."""

    def __init__(self, make_inbox: "Callable[[], InboxScreen]") -> None:
        super().__init__()
        self.make_inbox = make_inbox


class AppLoadFailed(Message):
    """The rest of the program could not be had."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class ApproverApp(GuardedApp[None]):
    """Sayso in a terminal."""

    context: "ScreenContext"
    """What the screens work with; there is none before the inbox."""

    def __init__(
        self,
        load_app: AppLoader,
        *,
        guard: InputGuard,
        theme: str,
        keymap: Keymap,
        is_still: bool = False,
    ) -> None:
        super().__init__(guard, theme, is_still=is_still)
        self.why_closed: Exception | None = None
        """Why there never was an inbox, or is none any more."""
        self.goes_to: str | None = None
        """The login to go over to after this one; nothing for one that is not there yet."""
        self._load_app = load_app
        self._inbox: InboxScreen | None = None
        self.set_keymap(dict(keymap.chosen))

    def on_mount(self) -> None:
        """Show a frame, and only then load what is behind it."""
        self.guard.arm()
        self.push_screen(OpeningScreen())
        load = threading.Thread(target=self._load, name="load", daemon=True)
        self.call_after_refresh(load.start)

    def about_to_hear(self) -> None:
        """What was typed into a sleep can come before the first tick after it."""
        if self._inbox:
            self._inbox.note_sleep()

    def heard(self) -> None:
        """Nobody has to be called, and nothing locks by itself, while the person is there."""
        if self._inbox:
            self.context.answers.touch()
            self.context.notifier.noticed()

    async def action_quit(self) -> None:
        """Leave by way of the inbox, which may have an answer to send first."""
        if self._inbox:
            self._inbox.action_leave()
        else:
            self.exit()

    def end(self) -> None:
        """Leave as by `q`; but whoever ends it from outside does not wait for long."""
        self.call_later(self.action_quit)
        self.set_timer(LAST_WORDS, self.exit)

    @on(LoginWanted)
    async def _login_wanted(self, message: LoginWanted) -> None:
        """Leave as by `q`, to another server."""
        self.goes_to = message.name
        await self.action_quit()

    @on(SignInWanted)
    def _sign_in_wanted(self) -> None:
        """Leave a login that the server has ended."""
        self.why_closed = LoginFirst("This device was signed out.", "signed_out")
        self.exit()

    def action_go(self, number: int) -> None:
        """Go to a page by its digit; the inbox, which is 1, lies below all others."""
        inbox = self._inbox
        if inbox is None:
            return
        if self.screen is inbox:
            self.push_screen(inbox.page(number))
        elif number == 1:
            self.pop_screen()
        else:
            self.switch_screen(inbox.page(number))

    def ring(self, sequence: str) -> None:
        """Write a control sequence that moves and draws nothing to the terminal."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)
            self._driver.flush()

    @on(AppLoaded)
    def _loaded(self, message: AppLoaded) -> None:
        self._inbox = message.make_inbox()
        self.context = self._inbox.context
        self.switch_screen(self._inbox)

    @on(AppLoadFailed)
    def _load_failed(self, message: AppLoadFailed) -> None:
        self.why_closed = message.error
        self.exit()

    def _load(self) -> None:
        """Runs in a thread that does not keep the program alive: a keyring may ask a question."""
        try:
            make_inbox = self._load_app(self.ring)
        except Exception as error:  # noqa: BLE001  # it is raised again where the app was run
            self.post_message(AppLoadFailed(error))
        else:
            self.post_message(AppLoaded(make_inbox))


def run(home: Home, approval_id: str | None = None) -> None:
    """Open the app for a login of this machine, at one request or at the first.

    Without a login it is asked for first. It ends when the person leaves, not when they go over to
    another server.
    """
    keep_memory_private()
    goes_to = _visit(home, approval_id)
    while goes_to is not None:
        if not goes_to:
            another = _sign_in(home, _ANOTHER, settings.load().theme, is_another=True)
            goes_to = home.name if another is None else another.name
        home = home.named(goes_to)
        goes_to = _visit(home)


def _visit(home: Home, approval_id: str | None = None) -> str | None:
    """Show one server until the person leaves; return the login they go over to, if any."""
    chosen = settings.load()
    try:
        return _show(home, chosen, approval_id)
    except LoginFirst as error:
        signed_in = _sign_in(home, f"{error} {FIRST_WORDS}", chosen.theme)
        return None if signed_in is None else _show(signed_in, chosen, approval_id)


def _show(home: Home, chosen: settings.Settings, approval_id: str | None) -> str | None:
    """Run the app until it ends. Raises ClientError when it never had an inbox."""
    load_required(home)
    guard = InputGuard(time.monotonic)
    with ExitStack() as closing:

        def load_app(ring: Ring) -> "Callable[[], InboxScreen]":
            wiring = loading.module("approver_tui.wiring")
            environment = wiring.app_environment(home, chosen, approval_id)
            make_inbox: Callable[[], InboxScreen] = wiring.load_inbox(
                home, environment, guard=guard, closing=closing, ring=ring
            )
            return make_inbox

        app = ApproverApp(
            load_app,
            guard=guard,
            theme=chosen.theme,
            keymap=chosen.keymap,
            is_still=chosen.is_still,
        )
        app.run()
    if app.why_closed is not None:
        raise app.why_closed
    return app.goes_to


def _sign_in(home: Home, why: str, theme: str, *, is_another: bool = False) -> Home | None:
    """Return where the new login is, or None if nobody signed in."""
    from approver_tui.signing_in import LocalLogin, SignInApp  # noqa: PLC0415  # once in a life

    name = SignInApp(LocalLogin(home, is_another), why=why, theme=theme).run()
    return None if name is None else home.named(name)
