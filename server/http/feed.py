"""The live feed: a WebSocket that sends a person's events from the database, by cursor.

A connection is idle until the hub reports something new for its person. It closes with 4401 when
the token expires, unless the client renews it in band, and with 4403 as soon as the user is
disabled or the device is revoked.
"""

import re
import socket as sockets
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server

from server import telemetry
from server.http import cookies, dispatch, views
from server.http.approvals.approval_wire import approval
from server.http.devices.device_wire import device
from server.http.site import Site
from server.model.store import Busy
from server.protocol import errors, json_text
from server.protocol.times import rfc3339
from server.services.clients import icons
from server.services.notifications.feed import FeedItem, FeedPage, user_topic
from server.services.users.device_auth import DeviceCall, Person

PATH = "/api/feed"
MAX_SOCKETS = 10
"""Per device and process. A terminal needs one; the others are for scripts."""
_PING_SECONDS = 20
_RETRY_SECONDS = 10
"""When a client may retry if there are too many feeds. It polls in the meantime."""
_MAX_BYTES = 16 * 1024
_BAD_MESSAGE, _TOKEN_EXPIRED, _DISABLED, _RESTART = 4400, 4401, 4403, 1012
_MAX_WAIT_SECONDS = 30.0
_TICKET_SECONDS = 10.0
_CURSOR = re.compile(r"[0-9]{1,18}")
"""Fits a 64-bit integer."""
_CLOSING_SECONDS = 2.0
"""How long a client has to answer the close frame."""
_MAX_SEND_SECONDS = 30.0
"""A client that reads nothing for this long is disconnected; it can resume from its cursor."""


def add_feed(app: Flask, site: Site) -> None:
    """Register the feed with Flask."""
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": _PING_SECONDS,
        "max_message_size": _MAX_BYTES,
    }
    sock = Sock(app)
    counts = _SocketCounts(site.max_feeds)

    @app.before_request
    def refuse_early() -> Response | None:
        """Refuse before the handshake, with an HTTP response that the client can read."""
        if request.path != PATH:
            return None
        try:
            counts.check()
            person, cookie = _person(site)
            request.environ["sayso.feed"] = person, cookie, _cursor()
            request.environ["sayso.socket_of"] = counts.add(_device_key(person))
        except errors.Problem as problem:
            return views.flask_response(dispatch.problem_response(problem))
        except Busy:
            return views.flask_response(dispatch.problem_response(dispatch.busy_problem()))
        return None

    @app.teardown_request
    def uncount(_error: BaseException | None) -> None:
        """Run after every connection, even if its handshake failed."""
        if (key := request.environ.pop("sayso.socket_of", None)) is not None:
            counts.remove(key)

    @sock.route(PATH)  # type: ignore[untyped-decorator]  # flask-sock has no types
    def feed(socket: Server) -> None:
        person, cookie, cursor = request.environ["sayso.feed"]
        try:
            _FeedConnection(site, socket, person, cursor).run(cookie)
        finally:
            finish(socket)


def finish(socket: Server) -> None:
    """Close the WebSocket, and wait until the library's thread has left the connection.

    The thread waits for data with a watcher. The server closes the connection as soon as the
    request ends; a file descriptor that is closed under a watcher aborts the process.
    """
    with suppress(ConnectionClosed, OSError):
        socket.close()
    socket.thread.join(_CLOSING_SECONDS)
    if socket.thread.is_alive():
        with suppress(OSError):
            socket.sock.shutdown(sockets.SHUT_RDWR)
        socket.thread.join()


@dataclass(slots=True)
class _SocketCounts:
    """The number of open sockets in this process, per device and in total."""

    limit: int
    total: int = 0
    by_device: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> None:
        """Raise errors.Problem 503 if the process has too many feeds."""
        if self.total >= self.limit:
            raise errors.Problem(
                503,
                "unavailable",
                "This server has too many live feeds. Try again later.",
                headers={"Retry-After": str(_RETRY_SECONDS)},
            )

    def add(self, key: str) -> str:
        """Count one more socket. Raises errors.Problem 429 or 503."""
        with self.lock:
            self.check()
            if self.by_device[key] >= MAX_SOCKETS:
                raise errors.Problem(
                    429,
                    "too_many_sockets",
                    f"This device has {MAX_SOCKETS} open sockets. Close one of them.",
                )
            self.by_device[key] += 1
            self.total += 1
        return key

    def remove(self, key: str) -> None:
        """Subtract one socket."""
        with self.lock:
            self.by_device[key] -= 1
            self.total -= 1
            if not self.by_device[key]:
                del self.by_device[key]


def _device_key(person: Person) -> str:
    """The device's ID, or the session's if it has no device yet."""
    return person.session.id if person.device is None else person.device.id


def _person(site: Site) -> tuple[Person, str]:
    """Authenticate the caller; return the cookie too if it is a browser."""
    handshake = views.read_request(site)
    cookie = cookies.session_cookie(site.server_policy, handshake)
    if cookie and "authorization" not in handshake.headers:
        cookies.check_origin(site.server_policy, handshake)
        return site.devices.browsers.person(cookie), cookie
    return site.users.device_auth.authenticate(site.device_call(handshake)), ""


def _cursor() -> int | None:
    text = request.args.get("cursor")
    if text is None:
        return None
    if not _CURSOR.fullmatch(text):
        raise errors.invalid_body("cursor must be a number from an earlier frame.")
    return int(text)


class _SendAll:
    """Wraps the connection of a WebSocket, which the library writes to with `send`.

    A plain `send` may send only a part of a frame, which breaks every later one. This one sends
    all of it, one call at a time, or raises OSError.
    """

    def __init__(self, connection: sockets.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        connection.settimeout(_MAX_SEND_SECONDS)

    def send(self, data: bytes) -> int:
        """Send all the data."""
        with self._lock:
            self._connection.sendall(data)
        return len(data)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # any attribute of a socket
        return getattr(self._connection, name)


@dataclass(slots=True)
class _FeedConnection:
    """One open WebSocket of a person."""

    site: Site
    socket: Server
    person: Person
    requested_cursor: int | None
    cursor: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    def redeem_ticket(self, cookie: str) -> bool:
        """Return whether the first message has a valid ticket; closes the socket if not.

        Browsers send the cookie with sockets that other sites open too (RFC 6455 10.2). Only our
        own pages know a ticket.
        """
        try:
            message = _message(self.socket.receive(_TICKET_SECONDS))
            if self.site.devices.browsers.redeem(cookie, str(message.get("ticket"))):
                return True
        except (ConnectionClosed, OSError):
            return False
        except Busy:
            self._close(_RESTART, "busy")
            return False
        self._close(_TOKEN_EXPIRED, "no ticket")
        return False

    def run(self, cookie: str) -> None:
        """Send events until either side closes the socket. A browser sends its ticket first."""
        if cookie and not self.redeem_ticket(cookie):
            return
        telemetry.SOCKETS.inc()
        self.socket.sock = _SendAll(self.socket.sock)
        try:
            with self.site.notifications.hub.subscribe(user_topic(self.person.user.id)) as changed:
                listener = threading.Thread(target=self._listen, args=(changed,), daemon=True)
                requested = self.requested_cursor
                self.cursor = (
                    self.site.notifications.feed.head() if requested is None else requested
                )
                self._send_hello()
                listener.start()
                self._send_events(changed)
        except Busy:
            self._close(_RESTART, "busy")
        except (ConnectionClosed, OSError):
            self._shut_down(sockets.SHUT_RDWR)
        finally:
            self.closed.set()
            telemetry.SOCKETS.dec()

    def _send_hello(self) -> None:
        self._send(
            {
                "type": "hello",
                "cursor": self.cursor,
                "token_expires_at": rfc3339(self.person.token_expires_at),
                "server_time": rfc3339(self.site.notifications.feed.now()),
            }
        )

    def _send_events(self, changed: threading.Event) -> None:
        while not self.closed.is_set():
            changed.clear()
            if self.site.readiness.ending:
                return self._close(_RESTART, "restarting")
            seconds_left = (self.person.token_expires_at - self.site.clock.now()) / 1000
            if seconds_left <= 0:
                return self._close(_TOKEN_EXPIRED, "token expired")
            device = self.person.device
            page = self.site.notifications.feed.page(
                self.person.user.id, None if device is None else device.id, self.cursor
            )
            if not page.allowed:
                return self._close(_DISABLED, "stopped")
            self._send_page(page)
            if not page.has_more:
                changed.wait(min(seconds_left, _MAX_WAIT_SECONDS))
        return None

    def _send_page(self, page: FeedPage) -> None:
        if page.resync:
            self._send({"type": "resync", "cursor": page.cursor})
        for item in page.items:
            self._send(event_frame(item))
        self.cursor = page.cursor
        if self.person.device is not None:
            self.site.notifications.feed.record_delivery(self.person.device.id, page)

    def _listen(self, changed: threading.Event) -> None:
        """Read the client's messages until the connection is closed."""
        try:
            while not self.closed.is_set():
                self._handle(self.socket.receive())
        except (ConnectionClosed, OSError):
            pass
        finally:
            self.closed.set()
            changed.set()

    def _handle(self, frame: str | bytes | None) -> None:
        message = _message(frame)
        if message.get("type") != "renew":
            return self._close(_BAD_MESSAGE, "unknown message")
        call = DeviceCall(
            f"DPoP {message.get('access_token')}",
            [str(message.get("proof"))],
            "GET",
            self.site.server_policy.issuer + PATH,
        )
        try:
            renewed = self.site.users.device_auth.authenticate(call)
        except errors.Problem:
            return self._close(_TOKEN_EXPIRED, "renewal refused")
        except Busy:
            return None  # the socket stays open until its token expires; the client retries
        if renewed.session.id != self.person.session.id:
            return self._close(_TOKEN_EXPIRED, "renewal of another session")
        self.person = renewed
        return self._send(
            {"type": "renewed", "token_expires_at": rfc3339(renewed.token_expires_at)}
        )

    def _send(self, frame: dict[str, object]) -> None:
        self.socket.send(json_text.compact(frame))

    def _close(self, code: int, reason: str) -> None:
        """Send a close frame, then shut down our side of the connection."""
        self.closed.set()
        with suppress(ConnectionClosed, OSError):
            self.socket.close(code, reason)
        self._shut_down(sockets.SHUT_WR)

    def _shut_down(self, how: int) -> None:
        with suppress(OSError):
            self.socket.sock.shutdown(how)


def _message(frame: str | bytes | None) -> dict[str, object]:
    try:
        value = json_text.parse(frame or b"", max_bytes=_MAX_BYTES)
    except errors.InvalidRequest:
        return {}
    return dict(value) if isinstance(value, dict) else {}


def event_frame(item: FeedItem) -> dict[str, object]:
    """A feed event as a JSON frame."""
    frame: dict[str, object] = {
        "type": "event",
        "seq": item.event.seq,
        "event": item.event.event,
        "at": rfc3339(item.event.at),
        "held": item.event.not_notified_because,
    }
    if item.approval is not None:
        frame["approval"] = approval(item.approval).model_dump(exclude={"nonce", "devices"})
    if item.icon is not None:
        frame["icon"] = icons.path_of(item.icon)
    if item.device is not None:
        frame["device"] = device(item.device, this=False, nonce=None).model_dump()
    if item.agent is not None:
        frame["agent"] = {"id": item.event.agent_id, "name": item.agent}
    if item.event.incident_id is not None:
        frame["incident"] = item.event.incident_id
    return frame
