"""A desktop that shows notifications, on its own message bus (org.freedesktop.Notifications).

Owns: what a person sees and presses there. Browsers find the bus through their environment.
"""

# ruff: noqa: N802  # the names of the specification

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from dbus_fast import Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusSignature
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

from tests.support.checks.waiting import until

_NAME, _PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
_REMEDY = "No message bus. On Debian or Ubuntu: apt-get install -y dbus-daemon libnotify4"
_PDEATHSIG = 1
_TIMEOUT = 60.0
_CLOSED_BY_USER = 2

Text = Annotated[str, DBusSignature("s")]
Number = Annotated[int, DBusSignature("u")]
Signed = Annotated[int, DBusSignature("i")]
Texts = Annotated[list[str], DBusSignature("as")]
Hints = Annotated[dict[str, Variant], DBusSignature("a{sv}")]
Server = Annotated[tuple[str, str, str, str], DBusSignature("ssss")]
Invoked = Annotated[tuple[int, str], DBusSignature("us")]
Closed = Annotated[tuple[int, int], DBusSignature("uu")]


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification on the screen."""

    id: int
    title: str
    body: str
    actions: dict[str, str]
    """Keys → labels."""


def die_with_us() -> None:
    """Make the kernel kill this child process when its parent ends for any reason."""
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)


class _Interface(ServiceInterface):
    def __init__(self, desktop: "Desktop") -> None:
        super().__init__(_NAME)
        self.desktop = desktop

    @dbus_method()
    def GetCapabilities(self) -> Texts:
        return ["actions", "body", "persistence"]

    @dbus_method()
    def GetServerInformation(self) -> Server:
        return ("tests", "sayso", "1", "1.2")

    @dbus_method()
    def Notify(  # noqa: PLR0913, PLR0917  # as above
        self,
        app_name: Text,  # noqa: ARG002  # as above
        replaces_id: Number,
        app_icon: Text,  # noqa: ARG002  # as above
        summary: Text,
        body: Text,
        actions: Texts,
        hints: Hints,  # noqa: ARG002  # as above
        expire_timeout: Signed,  # noqa: ARG002  # as above
    ) -> Number:
        number = replaces_id or self.desktop.count + 1
        pairs = dict(zip(actions[::2], actions[1::2], strict=True))
        self.desktop.shown[number] = Notification(number, summary, body, pairs)
        self.desktop.count += 1
        return number

    @dbus_method()
    def CloseNotification(self, number: Number) -> None:
        self.desktop.shown.pop(number, None)
        self.NotificationClosed(number, 3)

    @dbus_signal()
    def ActionInvoked(self, number: int, key: str) -> Invoked:
        return (number, key)

    @dbus_signal()
    def NotificationClosed(self, number: int, why: int) -> Closed:
        return (number, why)


@dataclass(slots=True)
class Desktop:
    """The notifications on the screen."""

    address: str
    shown: dict[int, Notification] = field(default_factory=dict)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    interface: _Interface | None = None
    count: int = 0
    """How many notifications were shown, including those that replaced an earlier one."""

    def wait(self, words: str) -> Notification:
        """Wait for the notification whose title contains these words, and return it."""
        return until(lambda: self._titled(words), _TIMEOUT)[0]

    def _titled(self, words: str) -> list[Notification]:
        return [value for value in tuple(self.shown.values()) if words in value.title]

    def press(self, one: Notification, label: str) -> None:
        """Press the button with this label; "" presses the notification itself."""
        keys = [key for key, text in one.actions.items() if text == label] or ["default"]
        self.shown.pop(one.id, None)
        self.loop.call_soon_threadsafe(self._press, one.id, keys[0])

    def _press(self, number: int, key: str) -> None:
        assert self.interface is not None
        self.interface.ActionInvoked(number, key)
        self.interface.NotificationClosed(number, _CLOSED_BY_USER)


@contextlib.contextmanager
def desktop() -> Iterator[Desktop]:
    """Run a message bus with a desktop on it."""
    program = shutil.which("dbus-daemon")
    assert program is not None, _REMEDY
    bus = subprocess.Popen(
        [program, "--session", "--nofork", "--print-address=1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_us,  # noqa: PLW1509  # one call into the kernel
    )
    try:
        assert bus.stdout is not None
        screen = Desktop(bus.stdout.readline().decode().strip())
        ready = threading.Event()
        thread = threading.Thread(target=_run, args=(screen, ready), daemon=True)
        thread.start()
        assert ready.wait(_TIMEOUT)
        yield screen
        screen.loop.call_soon_threadsafe(screen.loop.stop)
        thread.join(5)
    finally:
        bus.kill()
        bus.wait()
        if bus.stdout is not None:
            bus.stdout.close()


def environment(shown: Desktop) -> dict[str, str]:
    """Return the environment of a browser that shows its notifications on this desktop."""
    return {**os.environ, "DBUS_SESSION_BUS_ADDRESS": shown.address}


def _run(shown: Desktop, ready: threading.Event) -> None:
    asyncio.set_event_loop(shown.loop)

    async def serve() -> MessageBus:
        bus = await MessageBus(bus_address=shown.address).connect()
        shown.interface = _Interface(shown)
        bus.export(_PATH, shown.interface)
        await bus.request_name(_NAME)
        return bus

    bus = shown.loop.run_until_complete(serve())
    ready.set()
    shown.loop.run_forever()
    bus.disconnect()
    shown.loop.run_until_complete(asyncio.sleep(0))
    shown.loop.close()
