"""The live feed: a WebSocket that reconnects until the session ends.

Owns: connecting, back-off, renewing the token in band, the cursor. Never: what an event means.
"""

import json
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from approver_tui.client import files, wire
from approver_tui.client.api import Client
from approver_tui.client.errors import ApiError, ClientError, LoginFirst, Unreachable, WireError
from approver_tui.client.reading import JsonObject
from approver_tui.client.transport import LOOPBACK
from approver_tui.state.notifications.connection import Connection, Signal
from approver_tui.state.notifications.events import Event
from approver_tui.state.text import display_safe

PATH = "/api/feed"
RENEW_BEFORE = 60_000
"""How long before its expiry a token is renewed in band, in milliseconds."""

ASLEEP = 10_000
"""A check that runs this much late, in milliseconds, means that the machine was asleep."""

_TOKEN_LASTS = 2 * RENEW_BEFORE
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
_TICK = 0.25
_PING_EVERY = 5_000
"""How often, in milliseconds, the server is pinged."""
_SILENT = 15_000
"""The milliseconds without a sign of life after which the connection counts as lost."""
_TRY_RENEWAL_AGAIN = 5_000
_LARGEST_FRAME = 4 * 1024 * 1024
_TOKEN_EXPIRED = 4401
_SIGNED_OUT = 4403
_RESTARTING = 1012
_UNAUTHORIZED = 401
_FORBIDDEN = 403


def _nothing() -> None:
    """The default for callers that ignore a resync."""


def _ignore(_problem: str) -> None:
    """The default for callers that ignore bad frames."""


@dataclass(frozen=True, slots=True)
class FeedListeners:
    """The callbacks of the feed, called from its thread."""

    on_event: Callable[[Event], None]
    on_connection: Callable[[Connection], None]
    on_resync: Callable[[], None] = _nothing
    """Events were lost: fetch the inbox again."""
    on_problem: Callable[[str], None] = _ignore
    """A frame could not be decoded and is skipped; the text says why and is safe to draw."""


@dataclass(slots=True)
class _Line:
    """One open socket and the expiry of its token."""

    socket: ClientConnection
    dialled_at: int
    """On this machine's clock."""
    renew_at: int | None = field(default=None)
    said_hello: bool = False
    pong: threading.Event | None = None
    """Set when the server has answered the last ping."""
    pinged_at: int = 0


class Feed:
    """The feed of one client; `run` blocks and needs its own thread."""

    def __init__(
        self, client: Client, *, cursor: int | None = None, keeps_place: bool = False
    ) -> None:
        """Continue after the event `cursor`; by default start with new events.

        A feed that stores its cursor continues where the last one on this machine ended.
        """
        self._client = client
        self._keeps_place = keeps_place
        self._kept = kept_cursor(client) if keeps_place else None
        self.cursor = self._kept if cursor is None else cursor
        """The last event that was delivered, or None before the first connection."""
        self.heard_at: int | None = None
        """When the server last gave a sign of life, on its clock in milliseconds."""
        self._connection = Connection(since=client.now())

    def run(self, listeners: FeedListeners, stop: threading.Event) -> None:
        """Follow the feed until `stop` is set. Raises LoginFirst if the session has ended."""
        failures = 0
        try:
            while not stop.is_set():
                self._signal(listeners, Signal.DIAL)
                reason, went_well = self._one_line(listeners, stop)
                self._signal(listeners, Signal.LOST, reason)
                failures = 0 if went_well else failures + 1
                stop.wait(redial_delay(failures))
        except LoginFirst as error:
            self._signal(listeners, Signal.ENDED, error.detail)
            raise
        except Exception:
            # The feed ends here, so the phase must not stay live on the screen.
            self._signal(listeners, Signal.LOST, "This program failed while listening.")
            raise
        finally:
            self._keep_cursor()

    def _one_line(self, listeners: FeedListeners, stop: threading.Event) -> tuple[str, bool]:
        """Connect and listen until the connection is lost; return why, and whether it was open."""
        line: _Line | None = None
        try:
            dialled_at = self._client.session.transport.clock()
            with self._dial() as socket:
                line = _Line(socket, dialled_at)
                self._listen(line, listeners, stop)
        except ConnectionClosed as error:
            return _why_closed(error), line is not None and line.said_hello
        except LoginFirst:
            raise
        except ClientError as error:
            if isinstance(error, ApiError) and error.status == _FORBIDDEN:
                raise LoginFirst(error.detail, error.code, error.status) from error
            return str(error), line is not None and line.said_hello
        return "", True

    def _dial(self) -> ClientConnection:
        token = self._client.session.tokens.access_token(lasting=_TOKEN_LASTS)
        headers = {
            "Authorization": f"DPoP {token}",
            "DPoP": self._client.session.transport.proof("GET", PATH, token),
        }
        try:
            return connect(
                self._address(),
                additional_headers=headers,
                proxy=None if self._is_local() else True,
                max_size=_LARGEST_FRAME,
                open_timeout=10,
                close_timeout=1,
                ping_interval=None,  # `_look_for_life` asks, and hears the answer
            )
        except InvalidStatus as error:
            raise self._refused(error.response.status_code) from error
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise Unreachable("The server does not answer.") from error

    def _refused(self, status: int) -> Unreachable:
        """Send an ordinary request, which renews the token, or finds that the session has ended."""
        if status in {_UNAUTHORIZED, _FORBIDDEN}:
            self._client.me()
        return Unreachable(f"The server refused the live feed ({status}).")

    def _listen(self, line: _Line, listeners: FeedListeners, stop: threading.Event) -> None:
        looked_at = self._client.now()
        while not stop.is_set():
            looked_at = self._still_awake(looked_at)
            self._look_for_life(line, looked_at)
            self._renew_if_due(line)
            try:
                frame = line.socket.recv(timeout=_TICK)
            except TimeoutError:
                self._keep_cursor()
                continue
            try:
                self._take(JsonObject.parse(frame), line, listeners)
            except WireError as error:
                listeners.on_problem(display_safe(str(error), max_len=200))
            self.heard_at = self._client.now()

    def _still_awake(self, looked_at: int) -> int:
        """Return the time. Raises Unreachable if much time has passed since the last check.

        Then this program or its machine was asleep. The connection may be dead, and it would take
        two missed pings to notice; a new one continues at the cursor.
        """
        now = self._client.now()
        if now - looked_at > ASLEEP:
            raise Unreachable("This machine was asleep.")
        return now

    def _look_for_life(self, line: _Line, now: int) -> None:
        """Ping the server now and then. Raises Unreachable if it stays silent for too long."""
        since = now - line.pinged_at
        if line.pong is not None and not line.pong.is_set():
            if since >= _SILENT:
                raise Unreachable("The server is silent.")
            return
        if line.pong is not None:
            self.heard_at = max(self.heard_at or 0, line.pinged_at)
        if line.pong is None or since >= _PING_EVERY:
            with suppress(ConnectionClosed):  # earlier frames are read first
                line.pong, line.pinged_at = line.socket.ping(), now

    def _take(self, frame: JsonObject, line: _Line, listeners: FeedListeners) -> None:
        match frame.text("type"):
            case "event":
                self._take_event(frame, listeners)
            case "hello":
                self._client.observe(frame.time("server_time"), line.dialled_at)
                line.renew_at = frame.time("token_expires_at") - RENEW_BEFORE
                line.said_hello = True
                self.cursor = frame.integer("cursor") if self.cursor is None else self.cursor
                self._signal(listeners, Signal.OPENED)
            case "renewed":
                line.renew_at = frame.time("token_expires_at") - RENEW_BEFORE
            case "resync":
                self.cursor = frame.integer("cursor")
                listeners.on_resync()

    def _take_event(self, frame: JsonObject, listeners: FeedListeners) -> None:
        """Deliver an event once. One that cannot be decoded is skipped and reported."""
        seq = frame.integer("seq")
        if self.cursor is not None and seq <= self.cursor:
            return
        try:
            listeners.on_event(wire.read_event(frame))
        finally:
            self.cursor = seq

    def _renew_if_due(self, line: _Line) -> None:
        if line.renew_at is None or self._client.now() < line.renew_at:
            return
        line.renew_at = self._client.now() + _TRY_RENEWAL_AGAIN
        try:
            token = self._client.session.tokens.access_token(lasting=_TOKEN_LASTS)
        except LoginFirst:
            raise
        except ClientError:
            return  # still connected; the next attempt is soon
        proof = self._client.session.transport.proof("GET", PATH, token)
        line.socket.send(json.dumps({"type": "renew", "access_token": token, "proof": proof}))

    def _signal(self, listeners: FeedListeners, signal: Signal, reason: str = "") -> None:
        safe = display_safe(reason, max_len=200)
        after = self._connection.after(signal, now=self._client.now(), reason=safe)
        if after != self._connection:
            self._connection = after
            listeners.on_connection(after)

    def _keep_cursor(self) -> None:
        if self._keeps_place and self.cursor is not None and self.cursor != self._kept:
            files.write_private(self._client.home.cursor_file, str(self.cursor).encode())
            self._kept = self.cursor

    def _address(self) -> str:
        base = "ws" + self._client.profile.issuer.removeprefix("http")
        return f"{base}{PATH}" + ("" if self.cursor is None else f"?cursor={self.cursor}")

    def _is_local(self) -> bool:
        return urlsplit(self._client.profile.issuer).hostname in LOOPBACK


def kept_cursor(client: Client) -> int | None:
    """Return the stored cursor of this machine."""
    content = files.read_private(client.home.cursor_file)
    return int(content) if content is not None and content.isdigit() else None


def redial_delay(failures: int) -> float:
    """Return how long to wait before reconnecting, in seconds, with jitter."""
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(failures, 10))
    return longest * secrets.SystemRandom().uniform(0.5, 1.0)


def _why_closed(error: ConnectionClosed) -> str:
    code = error.rcvd.code if error.rcvd is not None else None
    if code == _SIGNED_OUT:
        raise LoginFirst("This device was signed out.", "signed_out") from error
    if code == _TOKEN_EXPIRED:
        return "The session is being renewed."
    return "The server is restarting." if code == _RESTARTING else "The connection broke."
