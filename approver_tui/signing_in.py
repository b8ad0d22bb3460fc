"""The app that asks for a login: a single screen.

Owns: the wiring of that screen. Never: its questions, which are in `screens/sign_in/sign_in.py`.
"""

import re
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import chain, count
from urllib.parse import urlsplit

from approver_tui import settings
from approver_tui.client.devices.enrolling import (
    DeviceGrant,
    Enrollment,
    ShowAuthorization,
    default_device_name,
    enroll,
)
from approver_tui.client.errors import SignInCanceled
from approver_tui.client.sign_in.profile import Home
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.guarded_app import GuardedApp
from approver_tui.screens.sign_in.sign_in import LoginService, SignInRequest, SignInScreen

DEFAULT_SERVER = "http://localhost:8470"
"""The default address of a server on this machine."""


@dataclass(frozen=True, slots=True)
class LocalLogin:
    """Signs this machine in."""

    home: Home
    """Where the login is stored."""
    is_additional: bool = False
    """Whether to store it next to the existing logins, named after its server."""

    def now(self) -> int:
        """Return this machine's time."""
        return settings.wall_clock()

    def enroll(self, request: SignInRequest, show: ShowAuthorization, stop: threading.Event) -> str:
        """Sign in, store the login, return its name. Raises ClientError or SignInCanceled."""

        def pause(seconds: float) -> None:
            if stop.wait(seconds):
                raise SignInCanceled("Canceled. Nothing was saved.")

        enrollment = Enrollment(
            url=request.url,
            code=DeviceGrant(show, pause) if request.code is None else request.code,
            name=request.name,
            pin=request.pin,
        )
        home = self._home(request.url)
        enroll(home, enrollment, clock=settings.wall_clock).close()
        return home.name

    def _home(self, url: str) -> Home:
        return (
            self.home.with_profile(free_name(url, self.home.names))
            if self.is_additional
            else self.home
        )


def free_name(url: str, taken: Collection[str]) -> str:
    """Return an unused name for a login, derived from the server's host."""
    host = re.sub(r"[^a-z0-9]+", "-", (urlsplit(url).hostname or "").lower()).strip("-")
    name = host[:24].rstrip("-") or "server"
    numbered_names = (f"{name}-{number}" for number in count(2))
    return next(candidate for candidate in chain([name], numbered_names) if candidate not in taken)


class SignInApp(GuardedApp[str]):
    """The app while there is no login. Its result is the name of the new one."""

    def __init__(
        self,
        login_service: LoginService,
        *,
        message_text: str,
        theme: str,
        url: str = DEFAULT_SERVER,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(InputGuard(ticks), theme)
        self._login_service = login_service
        self._introduction = message_text
        self._url = url

    def on_mount(self) -> None:
        """Open the sign-in screen."""
        name = default_device_name()
        self.push_screen(
            SignInScreen(
                self._login_service,
                self.guard,
                name=name,
                url=self._url,
                message_text=self._introduction,
            )
        )
