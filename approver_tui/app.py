"""The terminal app: it draws a first frame immediately and then loads the inbox.

Owns: the change from the first frame to the inbox, navigation between pages, the real clock. Never:
answering a request; only a panel does. `wiring.py` connects the screens to the server. It is
imported after the first frame, because the client, the socket and six pages take time to load.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from approver_tui import loading, settings
from approver_tui.client.errors import LoginFirst
from approver_tui.client.operations.hardening import keep_memory_private
from approver_tui.client.sign_in.profile import Home, load_required
from approver_tui.client.sign_in.profile import load as load_profile
from approver_tui.messages import LoginChosen, SignInChosen
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.guarded_app import GuardedApp
from approver_tui.screens.keys import QUIT
from approver_tui.screens.ready_screen import ReadyScreen
from approver_tui.state.color_overrides import NO_OVERRIDES
from approver_tui.state.keymap import Keymap
from approver_tui.state.notifications.connection import Connection, Phase
from approver_tui.state.text import SafeText
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.top_bar import TopBar, TopView

if TYPE_CHECKING:
    from approver_tui.screens.approvals.inbox import InboxScreen
    from approver_tui.screens.context import ScreenContext


_VIEW = TopView(
    title=SafeText("Sayso"),
    user=SafeText(""),
    connection=Connection(Phase.CONNECTING),
    fresh_at=None,
    now=0,
    zone=None,
)


class OpeningScreen(ReadyScreen[None]):
    """The first frame: the bar, one line and the keys, laid out as in the inbox."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", id="quit", show=False)]

    def compose(self) -> ComposeResult:
        """Lay out what needs no server."""
        yield TopBar(_VIEW)
        yield Static(fmt("Loading…"), id="loading", markup=False)
        yield KeyBar((QUIT,))


INTRODUCTION = "Sayso shows you what AI agents want to do in your name, and you decide."
"""The first sentence that a new user reads."""

_ADD_SERVER_TEXT = (
    "Sign in to another server. You stay signed in here. Switch between servers in 6 Settings."
)

EXIT_GRACE_SECONDS = 2.0
"""How long, in seconds, the app waits for an answer before it exits or is suspended."""

SequenceWriter: TypeAlias = Callable[[str], None]
"""Writes a control sequence to the terminal that neither draws nor moves the cursor."""
AppLoader: TypeAlias = Callable[[SequenceWriter], "Callable[[], InboxScreen]"]
"""Loads the rest of the app and returns a function that creates the inbox. Runs in a thread."""


class ApproverApp(GuardedApp[None]):
    """The terminal app."""

    context: "ScreenContext"
    """The context of the screens; set once the inbox exists."""

    def __init__(
        self,
        load_app: AppLoader,
        *,
        guard: InputGuard,
        theme: str,
        keymap: Keymap,
        colors: Mapping[str, str] = NO_OVERRIDES,
        is_motion_reduced: bool = False,
    ) -> None:
        super().__init__(guard, theme, colors=colors, is_motion_reduced=is_motion_reduced)
        self.fatal_error: Exception | None = None
        """The error that closed the app, if any."""
        self.next_login: str | None = None
        """The login to switch to after this one; an empty string asks for a new login."""
        self._load_app = load_app
        self._inbox: InboxScreen | None = None
        self.set_keymap(dict(keymap.custom_keys))

    def on_mount(self) -> None:
        """Show the first frame, then load the rest."""
        self.guard.arm()
        self.push_screen(OpeningScreen())
        load = threading.Thread(target=self._load, name="load", daemon=True)
        self.call_after_refresh(load.start)

    def before_input(self) -> None:
        """Let the inbox detect that the machine slept, before it handles this input."""
        if self._inbox:
            self._inbox.check_sleep()

    def after_input(self) -> None:
        """Reset the idle lock and stop repeated alerts, because the user is present."""
        if self._inbox:
            self.context.answers.touch()
            self.context.notifier.clear()

    async def action_quit(self) -> None:
        """Quit through the inbox, which may have an answer to send first."""
        if self._inbox:
            self._inbox.action_leave()
        else:
            self.exit()

    def action_suspend_process(self) -> None:
        """Suspend to the shell, but send waiting answers first: a suspended app sends nothing."""
        if self._inbox and self._inbox.answer_flow.send_waiting():
            self._inbox.show_message(fmt("Sending your answer before suspending."))
            self.set_timer(EXIT_GRACE_SECONDS, super().action_suspend_process)
        else:
            super().action_suspend_process()

    def terminate(self) -> None:
        """Quit as `q` does, but exit after `EXIT_GRACE_SECONDS` at the latest."""
        self.call_later(self.action_quit)
        self.set_timer(EXIT_GRACE_SECONDS, self.exit)

    @on(LoginChosen)
    async def _switch_login(self, message: LoginChosen) -> None:
        """Quit as with `q`, then open another server."""
        self.next_login = message.name
        await self.action_quit()

    @on(SignInChosen)
    def _close_for_sign_in(self) -> None:
        """Close the app, so that the user can sign in again."""
        self.fatal_error = LoginFirst("This device was signed out.", "signed_out")
        self.exit()

    def action_go(self, number: int) -> None:
        """Go to a page by its number. Page 1 is the inbox, below all others on the stack."""
        inbox = self._inbox
        if inbox is None:
            return
        if self.screen is inbox:
            self.push_screen(inbox.page(number))
        elif number == 1:
            self.pop_screen()
        else:
            self.switch_screen(inbox.page(number))

    def write_sequence(self, sequence: str) -> None:
        """Write a control sequence to the terminal that neither draws nor moves the cursor."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)
            self._driver.flush()

    def _show_inbox(self, make_inbox: "Callable[[], InboxScreen]") -> None:
        self._inbox = make_inbox()
        self.context = self._inbox.context
        self.switch_screen(self._inbox)

    def _fail(self, error: Exception) -> None:
        self.fatal_error = error
        self.exit()

    def _load(self) -> None:
        """Load the app in a daemon thread: a keyring prompt must not keep the process alive."""
        try:
            make_inbox = self._load_app(self.write_sequence)
        except Exception as error:  # noqa: BLE001  # raised again by the caller of the app
            self.call_later(self._fail, error)
        else:
            self.call_later(self._show_inbox, make_inbox)


def run(home: Home, approval_id: str | None = None) -> None:
    """Open the app for a login of this machine, at one request or at the first request.

    Asks the user to log in first if necessary. Returns when the user quits, but not when they
    switch to another server.
    """
    keep_memory_private()
    next_login = _run_server(home, approval_id)
    while next_login is not None:
        if not next_login:
            new_home = _sign_in(home, _ADD_SERVER_TEXT, settings.load().theme, is_additional=True)
            next_login = home.name if new_home is None else new_home.name
        home = home.with_profile(next_login)
        next_login = _run_server(home)


def _run_server(home: Home, approval_id: str | None = None) -> str | None:
    """Show one server until the user quits; return the login to switch to, if any."""
    chosen = settings.load()
    try:
        return _run_app(home, chosen, approval_id)
    except LoginFirst as error:
        signed_in = _sign_in(home, f"{error} {INTRODUCTION}", chosen.theme)
        return None if signed_in is None else _run_app(signed_in, chosen, approval_id)


def _run_app(home: Home, chosen: settings.Settings, approval_id: str | None) -> str | None:
    """Run the app until it exits. Raises ClientError if the inbox could not be opened."""
    load_required(home)
    guard = InputGuard(time.monotonic)
    with ExitStack() as closing:

        def load_app(write_sequence: SequenceWriter) -> "Callable[[], InboxScreen]":
            wiring = loading.module("approver_tui.wiring")
            environment = wiring.app_environment(home, chosen, approval_id)
            make_inbox: Callable[[], InboxScreen] = wiring.load_inbox(
                home, environment, guard=guard, closing=closing, write_sequence=write_sequence
            )
            return make_inbox

        app = ApproverApp(
            load_app,
            guard=guard,
            theme=chosen.theme,
            keymap=chosen.keymap,
            colors=chosen.colors,
            is_motion_reduced=chosen.is_motion_reduced,
        )
        app.run()
    if app.fatal_error is not None:
        raise app.fatal_error
    return app.next_login


def _sign_in(home: Home, reason: str, theme: str, *, is_additional: bool = False) -> Home | None:
    """Return the new login, or None if the user did not sign in."""
    from approver_tui.signing_in import DEFAULT_SERVER, LocalLogin, SignInApp  # noqa: PLC0415  # only for the first login

    profile = None if is_additional else load_profile(home)
    url = DEFAULT_SERVER if profile is None else profile.issuer
    name = SignInApp(
        LocalLogin(home, is_additional), message_text=reason, theme=theme, url=url
    ).run()
    return None if name is None else home.with_profile(name)
