"""The live feed: a WebSocket that reconnects until the session ends.

Owns: connecting, backing off, renewing the token in band, the cursor. Never: what an event means.
"""

import json
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
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
RENEW_BEFORE_MS = 60_000
"""How long before its expiry a token is renewed in band, in milliseconds."""

SLEEP_GAP_MS = 10_000
"""If a check is this many milliseconds late or early, the machine slept or its clock was set."""

MAX_CURSOR = 10**18 - 1
"""The largest cursor that a server accepts."""

_TOKEN_VALID_FOR_MS = 2 * RENEW_BEFORE_MS
_MIN_BACKOFF_SECONDS = 0.5
_MAX_BACKOFF_SECONDS = 15.0
_TICK_SECONDS = 0.25
_PING_EVERY_MS = 5_000
"""How often, in milliseconds, the server is pinged."""
_SILENCE_LIMIT_MS = 15_000
"""After this many milliseconds without a sign of life, the connection counts as lost."""
_RENEWAL_RETRY_MS = 5_000
_MAX_FRAME_BYTES = 4 * 1024 * 1024
_TOKEN_EXPIRED = 4401
_SIGNED_OUT = 4403
_RESTARTING = 1012
_UNAUTHORIZED = 401
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class FeedListeners:
    """The callbacks of the feed, called from its thread."""

    on_event: Callable[[Event], None]
    on_connection: Callable[[Connection], None]
    on_resync: Callable[[], None] = lambda: None
    """Events were lost: fetch the inbox again."""
    on_problem: Callable[[str], None] = lambda _problem: None
    """A frame could not be decoded and is skipped; the text says why and is safe to draw."""


@dataclass(slots=True)
class _OpenConnection:
    """One open socket and the expiry of its token."""

    socket: ClientConnection
    dialed_at: int
    """On this machine's clock."""
    renew_at: int | None = None
    has_hello: bool = False
    pong: threading.Event | None = None
    """Set when the server has answered the last ping."""
    pinged_at: int = 0
    """When the last ping was sent, by this machine's clock."""


class Feed:
    """The feed of one client; `run` blocks and needs its own thread."""

    def __init__(
        self, client: Client, *, cursor: int | None = None, saves_cursor: bool = False
    ) -> None:
        """Continue after the event `cursor`; by default start with new events.

        With `saves_cursor`, it continues where the last such feed on this machine ended.
        """
        self._client = client
        self._saves_cursor = saves_cursor
        self._saved_cursor = load_cursor(client) if saves_cursor else None
        self.cursor = self._saved_cursor if cursor is None else cursor
        """The last event that was delivered, or None before the first connection."""
        self.last_contact_at: int | None = None
        """When the server last gave a sign of life, on its clock in milliseconds."""
        self._connection = Connection(since=client.now())

    def run(self, listeners: FeedListeners, stop: threading.Event) -> None:
        """Follow the feed until `stop` is set.

        Raises LoginFirst if the session has ended, and OSError if the cursor cannot be stored.
        """
        if self._saves_cursor:
            files.make_private_folder(self._client.home.cursor_file.parent)
        failures = 0
        try:
            while not stop.is_set():
                self._signal(listeners, Signal.DIAL)
                reason, was_open = self._connect_once(listeners, stop)
                self._signal(listeners, Signal.LOST, reason)
                failures = 0 if was_open else failures + 1
                stop.wait(reconnect_delay(failures))
        except LoginFirst as error:
            self._signal(listeners, Signal.ENDED, error.detail)
            raise
        except Exception:
            # The feed ends here, so the phase must not stay live on the screen.
            self._signal(listeners, Signal.LOST, "The live feed failed.")
            raise
        finally:
            self._save_cursor()

    def _connect_once(self, listeners: FeedListeners, stop: threading.Event) -> tuple[str, bool]:
        """Connect and listen until the connection is lost; return why, and whether it was open."""
        conn: _OpenConnection | None = None
        try:
            dialed_at = self._client.session.transport.clock()
            with self._connect() as socket:
                conn = _OpenConnection(socket, dialed_at)
                self._listen(conn, listeners, stop)
        except ConnectionClosed as error:
            return _close_reason(error), conn is not None and conn.has_hello
        except LoginFirst:
            raise
        except ClientError as error:
            if isinstance(error, ApiError) and error.status == _FORBIDDEN:
                raise LoginFirst(error.detail, error.code, error.status) from error
            return str(error), conn is not None and conn.has_hello
        return "", True

    def _connect(self) -> ClientConnection:
        token = self._client.session.tokens.access_token(valid_for=_TOKEN_VALID_FOR_MS)
        proof = self._client.session.transport.proof("GET", PATH, token)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        try:
            return connect(
                self._address(),
                additional_headers=headers,
                proxy=None if urlsplit(self._client.profile.issuer).hostname in LOOPBACK else True,
                max_size=_MAX_FRAME_BYTES,
                open_timeout=10,
                close_timeout=1,
                ping_interval=None,  # `_check_alive` sends the pings
            )
        except InvalidStatus as error:
            raise self._connect_error(error.response.status_code) from error
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise Unreachable("The server does not respond.") from error

    def _connect_error(self, status: int) -> Unreachable:
        """Return the error for a status; first renew the token if the server refused it."""
        if status in {_UNAUTHORIZED, _FORBIDDEN}:
            self._client.me()
        return Unreachable(f"The server refused the live feed ({status}).")

    def _listen(
        self, conn: _OpenConnection, listeners: FeedListeners, stop: threading.Event
    ) -> None:
        checked_at = self._client.session.transport.clock()
        while not stop.is_set():
            checked_at = self._check_awake(checked_at)
            self._check_alive(conn, checked_at)
            self._renew_if_due(conn)
            try:
                frame = conn.socket.recv(timeout=_TICK_SECONDS)
            except TimeoutError:
                self._save_cursor()
                continue
            try:
                self._handle_frame(JsonObject.parse(frame), conn, listeners)
            except WireError as error:
                listeners.on_problem(display_safe(str(error), max_len=200))
            self.last_contact_at = self._client.now()

    def _check_awake(self, checked_at: int) -> int:
        """Return this machine's time. Raises Unreachable unless it is close to `checked_at`.

        After a gap, this program or its machine was asleep, and the connection may be dead. Missed
        pings would show that much later; a new connection continues at the cursor. If the clock was
        set forward or back, a new connection learns the server's time again.
        """
        now = self._client.session.transport.clock()
        if abs(now - checked_at) > SLEEP_GAP_MS:
            raise Unreachable("This machine was asleep, or its clock was set.")
        return now

    def _check_alive(self, conn: _OpenConnection, now: int) -> None:
        """Ping the server regularly. Raises Unreachable if it stays silent for too long.

        `now` is this machine's time: the server's time may be learned again between ping and pong.
        """
        since = now - conn.pinged_at
        if conn.pong is not None and not conn.pong.is_set():
            if since >= _SILENCE_LIMIT_MS:
                raise Unreachable("The server stopped responding.")
            return
        if conn.pong is not None:
            self.last_contact_at = max(self.last_contact_at or 0, self._client.now() - since)
        if conn.pong is None or since >= _PING_EVERY_MS:
            with suppress(ConnectionClosed):  # earlier frames are read first
                conn.pong, conn.pinged_at = conn.socket.ping(), now

    def _handle_frame(
        self, frame: JsonObject, conn: _OpenConnection, listeners: FeedListeners
    ) -> None:
        match frame.text("type"):
            case "event":
                self._handle_event(frame, listeners)
            case "hello":
                self._client.observe(frame.time("server_time"), conn.dialed_at)
                conn.renew_at = frame.time("token_expires_at") - RENEW_BEFORE_MS
                conn.has_hello = True
                self.cursor = frame.integer("cursor") if self.cursor is None else self.cursor
                self._signal(listeners, Signal.OPENED)
            case "renewed":
                conn.renew_at = frame.time("token_expires_at") - RENEW_BEFORE_MS
            case "resync":
                self.cursor = frame.integer("cursor")
                listeners.on_resync()

    def _handle_event(self, frame: JsonObject, listeners: FeedListeners) -> None:
        """Deliver an event once. One that cannot be decoded is skipped and reported."""
        seq = frame.integer("seq")
        if self.cursor is not None and seq <= self.cursor:
            return
        try:
            listeners.on_event(wire.read_event(frame))
        finally:
            self.cursor = seq

    def _renew_if_due(self, conn: _OpenConnection) -> None:
        if conn.renew_at is None or self._client.now() < conn.renew_at:
            return
        conn.renew_at = self._client.now() + _RENEWAL_RETRY_MS
        try:
            token = self._client.session.tokens.access_token(valid_for=_TOKEN_VALID_FOR_MS)
        except LoginFirst:
            raise
        except ClientError:
            return  # still connected; the next attempt is soon
        proof = self._client.session.transport.proof("GET", PATH, token)
        conn.socket.send(json.dumps({"type": "renew", "access_token": token, "proof": proof}))

    def _signal(self, listeners: FeedListeners, signal: Signal, reason: str = "") -> None:
        safe_reason = display_safe(reason, max_len=200)
        connection = self._connection.after(signal, now=self._client.now(), reason=safe_reason)
        if connection != self._connection:
            self._connection = connection
            listeners.on_connection(connection)

    def _save_cursor(self) -> None:
        if self._saves_cursor and self.cursor is not None and self.cursor != self._saved_cursor:
            files.write_private(self._client.home.cursor_file, str(self.cursor).encode())
            self._saved_cursor = self.cursor

    def _address(self) -> str:
        base = "ws" + self._client.profile.issuer.removeprefix("http")
        return f"{base}{PATH}" + ("" if self.cursor is None else f"?cursor={self.cursor}")


def load_cursor(client: Client) -> int | None:
    """Return the stored cursor of this machine, or None if there is no valid one."""
    content = files.read_private(client.home.cursor_file) or b""
    is_valid = content.isdigit() and len(content) <= len(str(MAX_CURSOR))
    return int(content) if is_valid else None


def reconnect_delay(failures: int) -> float:
    """Return how long to wait before reconnecting, in seconds, with jitter."""
    longest = min(_MAX_BACKOFF_SECONDS, _MIN_BACKOFF_SECONDS * 2.0 ** min(failures, 10))
    return longest * secrets.SystemRandom().uniform(0.5, 1.0)


def _close_reason(error: ConnectionClosed) -> str:
    code = error.rcvd.code if error.rcvd is not None else None
    if code == _SIGNED_OUT:
        raise LoginFirst("This device was signed out.", "signed_out") from error
    if code == _TOKEN_EXPIRED:
        return "The session is being renewed."
    return "The server is restarting." if code == _RESTARTING else "The connection broke."
