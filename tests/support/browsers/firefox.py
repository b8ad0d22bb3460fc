"""Headless stock Firefox ESR, driven over WebDriver BiDi, with push messages through autopush.

Owns: the commands of a test, and the socket by which Mozilla's push service reaches the browser.
"""

import base64
import contextlib
import itertools
import json
import re
import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from tests.support.checks.waiting import until
from tests.support.fakes.desktop import die_with_us
from tests.support.fakes.push_service import PushService, encoded
from tests.support.servers.ports import free_port

_REMEDY = "No Firefox. On Debian or Ubuntu: apt-get install -y --no-install-recommends firefox-esr"
_TIMEOUT = 60.0
_AUTHENTICATOR = {
    "protocol": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserConsenting": True,
    "isUserVerified": True,
}
_LISTENING_LINE = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


@dataclass(slots=True)
class Autopush:
    """Mozilla's push server: subscriptions and messages over one WebSocket."""

    service: PushService
    port: int = 0
    channels: dict[str, str] = field(default_factory=dict)
    """Token → the browser's own name of the subscription."""
    wire: ServerConnection | None = None
    there: threading.Condition = field(default_factory=threading.Condition)
    acknowledged: list[int] = field(default_factory=list)
    """The codes of acknowledgments; 100 means that a service worker got the message."""
    uaid: str = ""
    """The browser's ID; if it connects with a different one, it has lost its subscriptions."""

    def talk(self, wire: ServerConnection) -> None:
        """Serve one connection of the browser."""
        for text in wire:
            message = json.loads(text)
            if (answer := self._answer(wire, message)) is not None:
                wire.send(json.dumps(answer))

    def push(self, token: str, body: bytes, headers: dict[str, str]) -> None:
        """Send a message to the browser once it is connected."""
        message = {
            "messageType": "notification",
            "channelID": self.channels[token],
            "version": uuid.uuid4().hex,
            "data": encoded(body),
            "headers": {"encoding": headers["encoding"]},
        }
        with self.there:
            assert self.there.wait_for(lambda: self.wire is not None, _TIMEOUT)
            assert self.wire is not None
            self.wire.send(json.dumps(message))

    def forget(self) -> None:
        """Forget the browser; it gets a new ID when it connects again.

        The connection is cut, because a browser takes ten seconds for a regular close.
        """
        for token in tuple(self.channels):
            del self.channels[token], self.service.known[token]
        with self.there:
            wire, self.wire, self.uaid = self.wire, None, ""
        assert wire is not None
        wire.socket.shutdown(socket.SHUT_RDWR)

    def _answer(self, wire: ServerConnection, said: dict[str, Any]) -> dict[str, Any] | None:
        kind = said.get("messageType")
        if kind == "hello":
            with self.there:
                if not self.uaid or said.get("uaid") != self.uaid:
                    self.uaid = uuid.uuid4().hex
                self.wire = wire
                self.there.notify_all()
            return {
                "messageType": "hello",
                "uaid": self.uaid,
                "status": 200,
                "use_webpush": True,
                "broadcasts": {},
            }
        if kind == "register":
            return self._register(said["channelID"], said.get("key", ""))
        if kind == "unregister":
            for token, channel in tuple(self.channels.items()):
                if channel == said["channelID"]:
                    del self.channels[token], self.service.known[token]
            return {"messageType": kind, "channelID": said["channelID"], "status": 200}
        if kind == "ack":
            self.acknowledged.extend(update["code"] for update in said["updates"])
        return {} if not said else None

    def _register(self, channel: str, key: str) -> dict[str, Any]:
        token = uuid.uuid4().hex
        self.channels[token] = channel
        self.service.known[token] = None
        if key:
            raw = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
            self.service.keys[token] = encoded(raw)
        return {
            "messageType": "register",
            "channelID": channel,
            "status": 200,
            "pushEndpoint": f"{self.service.origin}/push/{token}",
        }


@contextlib.contextmanager
def autopush(service: PushService) -> Iterator[Autopush]:
    """Run Mozilla's push server for one browser."""
    state = Autopush(service)
    service.forward = state.push
    with serve(
        state.talk,
        "127.0.0.1",
        0,
        subprotocols=[Subprotocol("push-notification")],
        compression=None,
    ) as server:
        state.port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield state
        server.shutdown()
        thread.join(5)


@dataclass(slots=True)
class Marionette:
    """Firefox's older remote protocol: it starts the session and has virtual authenticators."""

    wire: socket.socket
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def tell(self, method: str, **parameters: Any) -> Any:  # whatever it answers
        """Send a command; return its result. On the wire, each message starts with its length."""
        number = next(self.numbers)
        command = json.dumps([0, number, method, parameters])
        self.wire.sendall(f"{len(command.encode())}:{command}".encode())
        _, answered, error, result = self.read_message()
        assert (answered, error) == (number, None), error
        return result

    def read_message(self) -> Any:  # as above
        """Return the next message."""
        length = b""
        while not length.endswith(b":"):
            length += self._more(1)
        text = b""
        while len(text) < int(length[:-1]):
            text += self._more(int(length[:-1]) - len(text))
        return json.loads(text)

    def _more(self, most: int) -> bytes:
        piece = self.wire.recv(most)
        assert piece, "the browser hung up"
        return piece


@dataclass(slots=True)
class Firefox:
    """One tab."""

    socket: ClientConnection
    marionette: Marionette
    context: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    authenticator: str = ""

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command; return its result."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (reply := json.loads(self.socket.recv(_TIMEOUT))).get("id") != number:
            pass
        if reply["type"] == "error":
            raise AssertionError(f"{method}: {reply['error']}: {reply['message']}")
        result: dict[str, Any] = reply["result"]
        return result

    def beforehand(self, function: str) -> None:
        """Make each page that is opened here call this function before its own scripts run."""
        self.tell("script.addPreloadScript", functionDeclaration=function, contexts=[self.context])

    def open(self, url: str) -> None:
        """Open this URL, and wait until the page has loaded."""
        self.tell("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def ask(self, expression: str) -> Any:  # whatever the page says
        """Return the value of an expression on this page, or None if the page was left."""
        with contextlib.suppress(AssertionError):
            found = self.tell(
                "script.evaluate",
                expression=f"Promise.resolve({expression}).then(v => JSON.stringify(v ?? null))",
                target={"context": self.context},
                awaitPromise=True,
                userActivation=True,
            )
            return json.loads(found["result"]["value"]) if found["type"] == "success" else None
        return None

    def see(self, expression: str) -> Any:  # as above
        """Wait until an expression is true; return its value."""
        try:
            return until(lambda: self.ask(expression), _TIMEOUT)
        except AssertionError as late:
            page_text = self.ask("document.body.innerText")
            raise AssertionError(f"{expression}; the page says: {page_text}") from late

    def wait_for_text(self, words: str) -> None:
        """Wait until the page says this."""
        self.see(f"document.body.innerText.includes({json.dumps(words)})")

    def click(self, selector: str) -> None:
        """Click a button once it can be clicked."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.see(f"{element}?.checkVisibility() && !{element}.disabled")
        self.ask(f"{element}.click()")

    def add_passkey_holder(self) -> None:
        """Add a virtual authenticator that stores passkeys and verifies the user."""
        added = self.marionette.tell("WebAuthn:AddVirtualAuthenticator", **_AUTHENTICATOR)
        self.authenticator = added["value"]

    def forget_passkeys(self) -> None:
        """Empty the authenticator: with several passkeys the browser asks which one to use."""
        self.marionette.tell("WebAuthn:RemoveAllCredentials", authenticatorId=self.authenticator)

    def text(self, selector: str = "body") -> str:
        """Return the visible text of an element."""
        text: str = self.ask(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
        return text

    def front(self) -> None:
        """Bring this tab to the front."""
        self.tell("browsingContext.activate", context=self.context)

    def close(self) -> None:
        """Close this tab."""
        self.tell("browsingContext.close", context=self.context)

    def contexts(self) -> list[dict[str, Any]]:
        """Return all tabs."""
        found: list[dict[str, Any]] = self.tell("browsingContext.getTree")["contexts"]
        return found

    def wait_for_tab(self, part: str) -> "Firefox":
        """Wait for a new tab that has this in its URL, and return it."""

        def found() -> str:
            return next(
                (context["context"] for context in self.contexts() if part in context["url"]), ""
            )

        return self._at(until(found, _TIMEOUT))

    def new_tab(self) -> "Firefox":
        """Open an empty tab, in front of this one."""
        new_target = self.tell("browsingContext.create", type="tab", referenceContext=self.context)
        other = self._at(new_target["context"])
        other.front()
        return other

    def addresses(self) -> list[str]:
        """Return the URLs of all tabs."""
        return sorted(context["url"] for context in self.contexts())

    def _at(self, context: str) -> "Firefox":
        return Firefox(self.socket, self.marionette, context, self.numbers, self.authenticator)


@contextlib.contextmanager
def firefox(folder: Path, push: Autopush, environment: Mapping[str, str]) -> Iterator[Firefox]:
    """Run a browser with a new profile while the block runs."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    assert program is not None, _REMEDY
    profile, log = folder / "profile", folder / "firefox.log"
    profile.mkdir(parents=True)
    port = free_port()
    (profile / "user.js").write_text(_prefs(push.port, port))
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                *(program, "--headless", "--no-remote", "--profile", str(profile)),
                *("--remote-debugging-port", "0", "--marionette"),
            ],
            stdout=out,
            stderr=out,
            env={**environment, "HOME": str(folder)},
            preexec_fn=die_with_us,  # noqa: PLW1509  # one call into the kernel
        )
        try:
            until(lambda: _LISTENING_LINE.findall(log.read_text(errors="replace")), _TIMEOUT)
            with _marionette(port) as older:
                session = older.tell("WebDriver:NewSession", webSocketUrl=True)
                address = session["capabilities"]["webSocketUrl"]
                with connect(address, max_size=None, compression=None, ping_interval=None) as wire:
                    tab = Firefox(wire, older)
                    tab.context = tab.contexts()[0]["context"]
                    yield tab
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _marionette(port: int) -> Iterator[Marionette]:
    def reached() -> socket.socket | None:
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), _TIMEOUT)
        return None

    with until(reached, _TIMEOUT) as wire:  # type: ignore[union-attr]  # it waits until it is one
        older = Marionette(wire)
        older.read_message()
        yield older


def _prefs(port: int, marionette: int) -> str:
    preferences = {
        "dom.push.connection.enabled": True,
        "dom.push.retryBaseInterval": 100,
        "dom.push.serverURL": f"ws://127.0.0.1:{port}/",
        "marionette.port": marionette,
        "security.webauth.webauthn_enable_softtoken": True,
        "security.webauth.webauthn_enable_usbtoken": False,
        "dom.push.testing.allowInsecureServerURL": True,
        "alerts.useSystemBackend": True,
        "permissions.default.desktop-notification": 1,
        "dom.webnotifications.requireuserinteraction": False,
    }
    lines = (
        f"user_pref({json.dumps(name)}, {json.dumps(value)});"
        for name, value in preferences.items()
    )
    return "\n".join(lines) + "\n"
