"""Headless Chromium, driven over the DevTools protocol, with its own passkeys.

Owns: what a person does on a page: open, click, type, look. Nothing is stubbed in the browser; the
authenticator is Chromium's virtual one, with resident keys and user verification. The headless
shell takes a third of the time, but only the full browser has push and notifications.
"""

import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.checks.waiting import until

_SHELL_PROGRAMS, _FULL_PROGRAMS = ("chromium-headless-shell",), ("chromium", "chromium-browser")
_REMEDY = "No Chromium. On Debian or Ubuntu: apt-get install -y --no-install-recommends chromium"
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-features=SpareRendererForSitePerProcess",  # each test would start a second process
    "--remote-debugging-port=0",
    "about:blank",
)
_TIMEOUT, _QUALITY = 60.0, 40
_REGISTERED = "ServiceWorker.workerRegistrationUpdated"
_PLAIN = {
    "forced-colors": "none",
    "prefers-contrast": "no-preference",
    "prefers-reduced-motion": "no-preference",
}
_SHIFT, _CODES = "Shift+", {"Tab": 9, "Enter": 13}
_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class PageGone(Exception):
    """The page was left while it evaluated an expression; ask the next page."""


@dataclass(slots=True)
class Chromium:
    """One tab."""

    socket: ClientConnection
    session: str
    """The DevTools session of the tab; empty for the browser itself."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    events: list[dict[str, Any]] = field(default_factory=list)
    """Messages of the console, failed loads and violations of the policy."""
    authenticator: str = ""
    timeout: float = _TIMEOUT
    window: dict[str, Any] = field(default_factory=dict)
    """The last size of the window, so that the same size causes no new layout."""

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol; return its result."""
        number = next(self.numbers)
        session = {"sessionId": self.session} if self.session else {}
        command = {"id": number, "method": method, "params": parameters, **session}
        self.socket.send(json.dumps(command))
        try:
            while (reply := json.loads(self.socket.recv(self.timeout))).get("id") != number:
                self.events.append(reply)
        except TimeoutError as late:
            raise TimeoutError(f"Chromium did not answer {method} {parameters}") from late
        if "error" in reply:
            raise PageGone(str(reply["error"]))
        result: dict[str, Any] = reply["result"]
        return result

    def beforehand(self, function: str) -> None:
        """Make each page that is opened here call this function before its own scripts run."""
        self.tell("Page.addScriptToEvaluateOnNewDocument", source=f"({function})()")

    def open(self, url: str) -> None:
        """Open this URL, and wait until the page's scripts have run."""
        self.tell("Page.navigate", url=url)
        self.see(f"location.href.split('#')[0] === {json.dumps(url.partition('#')[0])}")
        self.see("document.readyState === 'complete'")

    def ask(self, expression: str) -> Any:  # whatever the page says
        """Return the value of a JavaScript expression on this page."""
        answer = self.tell(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise PageGone(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def leave(self, expression: str) -> None:
        """Run an expression that leaves the page, which then cannot return a value."""
        self.ask(f"void setTimeout(() => {expression})")

    def see(self, expression: str) -> Any:  # as above
        """Wait until an expression is true; return its value."""

        def answer() -> Any:  # as above
            with contextlib.suppress(PageGone):
                return self.ask(expression)
            return None

        try:
            return until(answer, _TIMEOUT)
        except AssertionError as late:
            raise AssertionError(f"{expression}; the page says: {self.text()[:600]}") from late

    def click(self, selector: str) -> None:
        """Click a button with the mouse at its position, once it can be clicked.

        If it moved away before the click, click again.
        """
        element = f"document.querySelector({json.dumps(selector)})"
        loaded = "document.readyState === 'complete'"  # or a script still moves it
        ready = f"Boolean({loaded} && {element}?.checkVisibility() && !{element}.disabled)"
        until(lambda: self.see(ready) and self._click_at(element), _TIMEOUT)

    def _click_at(self, found: str) -> bool:
        """Click at the element's position; return False if it moved, so the click missed it."""
        box = self.ask(
            f"(() => {{ const e = {found}; e.scrollIntoView({{block: 'center'}});"
            " const middle = () => { const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; };"
            " const [x, y] = middle(); window.missed = false;"
            " const heard = (event) => { const [left, top] = middle();"
            " window.missed = !e.contains(event.target) && (left !== x || top !== y); };"
            " addEventListener('click', heard, {capture: true, once: true});"
            " return [x, y]; })()"
        )
        position = {"x": box[0], "y": box[1], "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            self.tell("Input.dispatchMouseEvent", type=kind, **position)
        with contextlib.suppress(PageGone):
            return not self.ask("window.missed")
        return True

    def type(self, selector: str, text: str) -> None:
        """Type into a field."""
        self.see(f"Boolean(document.querySelector({json.dumps(selector)})?.checkVisibility())")
        self.ask(f"document.querySelector({json.dumps(selector)}).select()")
        self.tell("Input.insertText", text=text)

    def later(self, seconds: int) -> None:
        """Set the clock of this page forward by this many seconds."""
        self.ask(f"{{ const now = Date.now; Date.now = () => now() + {seconds * 1000} }}")

    def text(self, selector: str = "body") -> str:
        """Return the visible text of an element."""
        text: str = self.ask(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
        return text

    def wait_for_text(self, words: str) -> None:
        """Wait until the page says this."""
        self.see(f"document.body.innerText.includes({json.dumps(words)})")

    def add_passkey_holder(self) -> None:
        """Add a virtual authenticator."""
        self.tell("WebAuthn.enable")
        added = self.tell("WebAuthn.addVirtualAuthenticator", options=_AUTHENTICATOR)
        self.authenticator = added["authenticatorId"]

    def wait_for_tab(self, part: str) -> "Chromium":
        """Wait for a new page that has this in its URL, and return it."""

        def found() -> str:
            targets = _command(self, "Target.getTargets")["targetInfos"]
            return next((target["targetId"] for target in targets if part in target["url"]), "")

        other = _attached(self, until(found, _TIMEOUT))
        if self.authenticator:
            credentials = self.tell("WebAuthn.getCredentials", authenticatorId=self.authenticator)
            other.add_passkey_holder()
            target = other.authenticator
            for passkey in credentials["credentials"]:
                other.tell("WebAuthn.addCredential", authenticatorId=target, credential=passkey)
        return other

    def new_tab(self) -> "Chromium":
        """Open an empty page of this browser, in front of this one."""
        target = _command(self, "Target.createTarget", url="about:blank")
        other = _attached(self, target["targetId"])
        other.front()
        return other

    def addresses(self) -> list[str]:
        """Return the URLs of all pages of the browser."""
        targets = _command(self, "Target.getTargets")["targetInfos"]
        return sorted(target["url"] for target in targets if target["type"] == "page")

    def worker(self, origin: str) -> "Chromium":
        """Wait for the service worker of this origin, and return it."""

        def found() -> str:
            targets = _command(self, "Target.getTargets")["targetInfos"]
            workers = [target for target in targets if target["type"] == "service_worker"]
            return next((w["targetId"] for w in workers if w["url"].startswith(f"{origin}/")), "")

        return _attached(self, until(found, _TIMEOUT), domains=())

    def push(self, data: str) -> None:
        """Deliver a push message with this data to the service worker of this page."""
        self.tell("ServiceWorker.enable")
        origin = self.ask("location.origin")

        def found() -> str:
            self.ask("1")
            updates = [event for event in self.events if event.get("method") == _REGISTERED]
            items = (item for event in updates for item in event["params"]["registrations"])
            ids = (item["registrationId"] for item in items if item["scopeURL"] == f"{origin}/")
            return next(ids, "")

        self.tell(
            "ServiceWorker.deliverPushMessage",
            origin=origin,
            registrationId=until(found, _TIMEOUT),
            data=data,
        )

    def forget_passkeys(self) -> None:
        """Delete all passkeys, because the authenticator stores only three."""
        self.tell("WebAuthn.clearCredentials", authenticatorId=self.authenticator)

    def front(self) -> None:
        """Bring this page to the front."""
        self.tell("Page.bringToFront")

    def close(self) -> None:
        """Close this page."""
        self.tell("Page.close")

    def verify(self, *, person: bool) -> None:
        """Set whether the authenticator verifies the user."""
        self.tell(
            "WebAuthn.setUserVerified", authenticatorId=self.authenticator, isUserVerified=person
        )

    def press(self, key: str) -> None:
        """Press a key that has a name: Tab, Shift+Tab, Enter."""
        shift = key.startswith(_SHIFT)
        key = key.removeprefix(_SHIFT)
        code = _CODES[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.tell(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                modifiers=8 if shift else 0,
                **text,
            )

    def look(
        self,
        *,
        width: int,
        height: int = 900,
        scale: float = 1,
        dark: bool = False,
        wishes: Mapping[str, str] = {},
    ) -> None:
        """Set the size of the window, its pixel ratio, and a light or dark color scheme.

        `wishes` are media features of the person's system, such as `{"forced-colors": "active"}`.
        """
        window = {"width": width, "height": height, "deviceScaleFactor": scale}
        if window != self.window:
            self.tell("Emulation.setDeviceMetricsOverride", mobile=width < 500, **window)  # a phone
            self.window = window
        scheme = {"prefers-color-scheme": "dark" if dark else "light"}
        members = {**_PLAIN, **scheme, **wishes}
        features = [{"name": name, "value": value} for name, value in members.items()]
        self.tell("Emulation.setEmulatedMedia", features=features)

    def picture(self, path: Path) -> None:
        """Save a picture of the whole page."""
        shot = self.tell("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def small_picture(self, path: Path, *, scale: float = 1) -> None:
        """Save a picture of what is on the screen, scaled down, as WebP."""
        size = self.ask("[innerWidth, innerHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": scale}
        shot = self.tell("Page.captureScreenshot", format="webp", quality=_QUALITY, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self) -> list[str]:
        """Return what the browser reported: script errors, policy violations, failed loads.

        Leave out a socket that was opening when its user signed out, which the server rightly
        refuses, an icon that was loading when its page was left, and a server that a test stopped.
        """
        kinds = {"Log.entryAdded", "Runtime.exceptionThrown"}
        events = [event for event in self.events if event.get("sessionId") == self.session]
        reports = [json.dumps(event["params"]) for event in events if event.get("method") in kinds]
        lost = "INTERNET_DISCONNECTED CONNECTION_REFUSED CONNECTION_RESET CONNECTION_CLOSED"
        lost += " EMPTY_RESPONSE CONTENT_LENGTH_MISMATCH NETWORK_CHANGED BLOCKED_BY_CLIENT"
        away = [f"net::ERR_{name}" for name in lost.split()]
        away.append("status of 502")  # our server never sends 502; a test's replacement did
        quiet = ("favicon", "icon from the Manifest", "WebSocket connection", *away)
        expected = (  # the inbox or the log check polled while it was signed out
            ("status of 401", "state=waiting&limit=1"),
            ("status of 401", "/api/audit/"),
            ("status of 409", "/api/audit/consistency"),  # there is no checkpoint yet
        )
        reports = [report for report in reports if not any(word in report for word in quiet)]
        return [text for text in reports if not any(all(w in text for w in ws) for ws in expected)]


@contextlib.contextmanager
def chromium(
    folder: Path, flags: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[Chromium]:
    """Run a browser with a new profile; with an environment, the full browser, not the shell."""
    names = _SHELL_PROGRAMS * (environment is None) + _FULL_PROGRAMS
    program = next(filter(None, map(shutil.which, names)), None)
    assert program is not None, _REMEDY
    profile = folder / "profile"
    profile.mkdir(parents=True)
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [program, f"--user-data-dir={profile}", *flags, *_FLAGS],
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,  # the program is a script that starts the browser
        )
        try:
            port, path = until(lambda: _lines(profile / "DevToolsActivePort"), _TIMEOUT)
            address = f"ws://127.0.0.1:{port}{path}"
            # No pings: their thread draws from `random`, which Hypothesis notices in other tests.
            with connect(address, max_size=None, ping_interval=None) as socket:
                yield _tab(socket)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def stranger(browser: Chromium) -> Iterator[Chromium]:
    """Open a tab with its own empty storage, which is deleted afterwards."""
    context = _command(browser, "Target.createBrowserContext")["browserContextId"]
    target = _command(browser, "Target.createTarget", url="about:blank", browserContextId=context)
    try:
        yield _attached(browser, target["targetId"])
    finally:
        _dispose(browser, context)


def _dispose(browser: Chromium, context: str) -> None:
    """Close the pages of a context. Chromium does not always answer, which is harmless."""
    root = Chromium(browser.socket, "", browser.numbers, browser.events, timeout=10)
    with contextlib.suppress(TimeoutError):
        root.tell("Target.disposeBrowserContext", browserContextId=context)


def _lines(path: Path) -> list[str]:
    """Return both lines of the file, or an empty list before they are written."""
    lines = path.read_text().splitlines() if path.exists() else []
    return lines if len(lines) > 1 else []


def _tab(socket: ClientConnection) -> Chromium:
    root = Chromium(socket, "")
    return _attached(root, _command(root, "Target.createTarget", url="about:blank")["targetId"])


def _attached(
    browser: Chromium, target: str, domains: Sequence[str] = ("Page", "Runtime", "Log")
) -> Chromium:
    session = _command(browser, "Target.attachToTarget", targetId=target, flatten=True)
    tab = Chromium(browser.socket, session["sessionId"], browser.numbers)
    for domain in domains:
        tab.tell(f"{domain}.enable")
    return tab


def _command(browser: Chromium, method: str, **parameters: Any) -> dict[str, Any]:
    """Send a command to the browser itself, not to a tab."""
    root = Chromium(browser.socket, "", browser.numbers, browser.events)
    return root.tell(method, **parameters)
