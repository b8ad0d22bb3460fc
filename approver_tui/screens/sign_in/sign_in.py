"""The sign-in screen, for a machine without a login.

Owns: the fields for server, method, name and PIN; showing this device's code until another device
approves it. Never: storing a PIN or a code; signing in before the user presses the button.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from approver_tui.client import errors
from approver_tui.client.devices.enrolling import DeviceAuthorization, ShowAuthorization
from approver_tui.client.transport import LOOPBACK
from approver_tui.screens.button_panel import TICK
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.keys import DEVICE_AUTHORIZATION_KEYS, SIGN_IN_KEYS
from approver_tui.screens.ready_screen import ReadyScreen
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.ceremony_fields import MIN_PIN_LENGTH
from approver_tui.widgets.choices import Choices
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.line_input import LineInput
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import CachedLine, NoticeLines
from approver_tui.widgets.panel_button import PanelButton, button_hint
from approver_tui.widgets.qr_code import QrCode
from approver_tui.widgets.times import remaining
from approver_tui.widgets.typed_input import TypedInput

_CODE_METHOD = 1
_METHOD_TEXT = SafeText(
    "Your first device needs a one-time code from your administrator (sayso users enroll "
    "NAME). To add another device, approve it on one that you already use, or create a code "
    "there (sayso-approver devices add)."
)
_METHODS = (
    SafeText("Approve on a device that I already use"),
    SafeText("I have a one-time code"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRequest:
    """The user's choices for the sign-in."""

    url: str
    code: str | None
    """The one-time code; None if another device approves this one."""
    name: str
    pin: str


class LoginService(Protocol):
    """Signs this machine in."""

    def now(self) -> int:
        """Return this machine's time in milliseconds since the epoch."""

    def enroll(self, request: SignInRequest, show: ShowAuthorization, stop: threading.Event) -> str:
        """Sign in and return the name of the login. Raises ClientError.

        Blocks for up to 15 minutes, or until `stop` is set.
        """


class SignInScreen(ReadyScreen[None]):
    """The screen with the sign-in fields and buttons."""

    AUTO_FOCUS = "#url"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+q", "quit", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(
        self,
        login_service: LoginService,
        guard: InputGuard,
        *,
        name: str,
        url: str,
        message_text: str,
    ) -> None:
        super().__init__()
        self._login_service = login_service
        self._guard = guard
        self._introduction = display_safe(message_text, max_len=300)
        self._methods = Choices(_METHODS, id="ways")
        self._url = _field("url", url)
        self._code = _field("code", "")
        self._device_name = _field("name", name)
        self._pins = TypedInput(id="pin", is_hidden=True), TypedInput(id="again", is_hidden=True)
        self._stop = threading.Event()
        self._is_busy = False
        self._problem = SafeText("")

    def compose(self) -> ComposeResult:
        """Lay out the introduction, the fields, the buttons, the hint and the keys."""
        with VerticalScroll(id="sign-in", can_focus=False):
            yield Static("SAYSO  sign in", id="headline", markup=False)
            yield Static(self._introduction, id="words", markup=False)
            yield Static("Server address", markup=False)
            yield self._url
            yield Static("How do you want to sign in?", markup=False)
            yield Static(_METHOD_TEXT, id="how", markup=False)
            yield self._methods
            with Horizontal(id="code-row"):
                yield Static("Code  ", markup=False)
                yield self._code
            yield Static("Device name", markup=False)
            yield self._device_name
            yield Static("New PIN (6 characters or more), twice", markup=False)
            with Horizontal(id="pin-row"):
                yield self._pins[0]
                yield Static("  ", markup=False)
                yield self._pins[1]
            yield NoticeLines(id="notice")
            with Horizontal(id="buttons"):
                yield PanelButton(fmt("Sign in"), id="sign-in-now")
                yield PanelButton(fmt("Quit"), id="quit")
            yield CachedLine(id="hint")
        yield KeyBar(SIGN_IN_KEYS)

    def on_mount(self) -> None:
        """Arm the guard, and draw."""
        self._guard.arm()
        self.draw()
        self.call_after_refresh(self.show_from_top, self.query_one("#sign-in"))

    def on_resize(self) -> None:
        """Keep the focused widget in view."""
        self.call_after_refresh(self.show_focus)

    def on_unmount(self) -> None:
        """Stop waiting for another device."""
        self._stop.set()

    def draw_widgets(self) -> None:
        """Update the fields and the hint."""
        reason = self._blocker()
        self.query_one("#code-row").display = self._methods.index == _CODE_METHOD
        self.query_one("#notice", NoticeLines).show_all(self._problem)
        self.query_one("#hint", CachedLine).show(button_hint(fmt("Sign in"), reason))
        self.query_one("#sign-in-now", PanelButton).is_off = bool(reason)

    @on(Input.Changed)
    @on(Choices.Picked)
    def _input_changed(self) -> None:
        self.draw()

    @on(Input.Submitted)
    def _focus_next(self) -> None:
        self.focus_next()

    @on(Button.Pressed, "#quit")
    def _quit(self) -> None:
        self.action_quit()

    @on(Button.Pressed, "#sign-in-now")
    def _sign_in(self) -> None:
        if self._guard.is_blocking or self._blocker():
            return
        request = SignInRequest(
            url=whole_address(self._url.value),
            code=self._code.value.strip() if self._methods.index == _CODE_METHOD else None,
            name=self._device_name.value.strip(),
            pin=self._pins[0].value,
        )
        self._is_busy, self._problem = True, SafeText("")
        self._stop = threading.Event()
        self.draw()
        work = partial(self._login_service.enroll, request, self._post_authorization, self._stop)
        self.run_in_thread(work, self._finish, self._failed, group="enroll", exclusive=True)

    def _post_authorization(self, authorization: DeviceAuthorization) -> None:
        """Show the authorization. Runs in the thread that enrolls."""
        self.call_later(self._show_authorization, authorization)

    def _show_authorization(self, authorization: DeviceAuthorization) -> None:
        panel = DeviceAuthorizationPanel(authorization, self._login_service.now)
        self.app.push_screen(panel, self._authorization_closed)

    def _finish(self, login: str) -> None:
        self.app.exit(result=login)

    def _failed(self, error: errors.ClientError) -> None:
        self._is_busy = False
        if isinstance(self.app.screen, DeviceAuthorizationPanel):
            self.app.pop_screen()
        self._problem = display_safe(str(error), max_len=300)
        self.draw()

    def action_quit(self) -> None:
        """Quit without a login."""
        self._stop.set()
        self.app.exit()

    def _authorization_closed(self, _result: None) -> None:
        """Stop waiting, because the user went back before another device approved."""
        self._stop.set()
        for field in self._pins:
            field.clear_secret()

    def _blocker(self) -> SafeText:
        if self._is_busy:
            return fmt("Signing in…")
        if reason := _address_blocker(self._url.value) or self._method_blocker():
            return reason
        if not self._device_name.value.strip():
            return fmt("enter a device name.")
        first, repeated = (field.value for field in self._pins)
        if len(first) < MIN_PIN_LENGTH:
            return fmt("choose a PIN of 6 characters or more.")
        return SafeText("") if first == repeated else fmt("the PINs do not match.")

    def _method_blocker(self) -> SafeText:
        """Require a method, because a first device and later ones sign in differently."""
        if self._methods.index is None:
            return fmt("choose how to sign in: 1 or 2.")
        if self._methods.index == _CODE_METHOD and not self._code.value.strip():
            return fmt("enter the one-time code.")
        return SafeText("")


class DeviceAuthorizationPanel(ModalScreen[None], ReadyScreen[None]):
    """Shows the page to open and the code to enter, and a QR code for both."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]

    def __init__(self, authorization: DeviceAuthorization, now: Callable[[], int]) -> None:
        super().__init__()
        self._authorization = authorization
        self._now = now

    def compose(self) -> ComposeResult:
        """Lay out the text, the code and the QR code."""
        with VerticalScroll(classes="panel", id="device-authorization"):
            yield Static("Open this page on a device that you already use:", markup=False)
            yield Static(self._authorization.page, id="page", markup=False)
            yield Static("and type this code there:", markup=False)
            yield Static(self._authorization.code, id="headline", markup=False)
            yield CachedLine(id="left")
            yield QrCode(self._authorization.link)
            yield KeyBar(DEVICE_AUTHORIZATION_KEYS)

    def on_mount(self) -> None:
        """Start the timer that updates the remaining time."""
        self.set_interval(TICK, self.draw)
        self.draw()

    def draw_widgets(self) -> None:
        """Show how much longer the code is valid."""
        until, now = self._authorization.until, self._now()
        words = fmt("The code has expired. Cancel, then sign in again for a new one.")
        if now < until:
            left = remaining(until, now)
            words = fmt("Then approve there if the same code is shown. {} left.", left)
        self.query_one("#left", CachedLine).show(words)


def whole_address(typed: str) -> str:
    """Return the address; without a scheme, add https, or http for this machine."""
    address = typed.strip()
    if "://" in address:
        return address
    is_loopback = (urlsplit(f"//{address}").hostname or "") in LOOPBACK
    return f"http://{address}" if is_loopback else f"https://{address}"


def _address_blocker(typed: str) -> SafeText:
    if not typed.strip():
        return fmt("enter the server address.")
    is_valid = _is_address(whole_address(typed))
    return SafeText("") if is_valid else fmt("enter an address such as https://sayso.example.")


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is not a number
        return False


def _field(name: str, value: str) -> Input:
    field = LineInput(value, id=name, max_length=200, compact=True)
    field.cursor_blink = False
    return field
