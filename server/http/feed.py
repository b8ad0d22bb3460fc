"""The live feed: one socket per terminal, fed from the database by cursor.

The socket is idle until the hub says that something concerns this person. It ends with 4401 when
the token ends, unless the client renews in band, and with 4403 at once when the user or the device
is stopped.
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
from server.http.notifications import event_wire
from server.http.site import Site
from server.model.store import Busy
from server.protocol import errors, json_text
from server.services.notifications.feed import FeedPage, user_topic
from server.services.policy.displays import rfc3339
from server.services.users.device_auth import DeviceCall, Person

PATH = "/api/feed"
MOST_SOCKETS = 10
"""Of one device, in one process. A terminal needs one; the others are for scripts that watch."""
_PING_SECONDS = 20
_FULL_SECONDS = 10
"""A client without a feed comes back then, and meanwhile asks for what is new."""
_MOST_BYTES = 16 * 1024
_BAD_MESSAGE, _TOKEN_OVER, _STOPPED, _RESTART = 4400, 4401, 4403, 1012
_LONGEST_WAIT_SECONDS = 30.0
_LONGEST_SILENCE_SECONDS = 10.0
_CURSOR = re.compile(r"[0-9]{1,18}")
"""What a 64-bit number can hold."""
_LONGEST_SEND_SECONDS = 30.0
"""A reader that takes no frame for so long is gone; it resumes from its cursor."""


def add_feed(app: Flask, site: Site) -> None:
    """Give the socket to Flask."""
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": _PING_SECONDS,
        "max_message_size": _MOST_BYTES,
    }
    sock = Sock(app)
    seats = _Seats(site.most_feeds)

    @app.before_request
    def refuse_early() -> Response | None:
        """Refuse with an HTTP answer before the handshake, where a client can read why."""
        if request.path != PATH:
            return None
        try:
            seats.check()
            person, request.environ["sayso.cookie"] = _person(site)
            request.environ["sayso.person"] = person
            request.environ["sayso.cursor"] = _cursor()
            request.environ["sayso.seat"] = seats.take(_place(person))
        except errors.Problem as problem:
            return views.flask_response(dispatch.problem_response(problem))
        except Busy:
            return views.flask_response(dispatch.problem_response(dispatch.busy_problem()))
        return None

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        """Whether there was a conversation or no more than a handshake."""
        if (place := request.environ.pop("sayso.seat", None)) is not None:
            seats.leave(place)

    @sock.route(PATH)  # type: ignore[untyped-decorator]  # flask-sock has no types
    def feed(socket: Server) -> None:
        person: Person = request.environ["sayso.person"]
        talk = _Conversation(site, socket, person, request.environ["sayso.cursor"])
        talk.run(request.environ["sayso.cookie"])


@dataclass(slots=True)
class _Seats:
    """How many sockets each device has open here, and all together."""

    most: int
    all: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> None:
        """Raises errors.Problem 503 if there is no room for another feed."""
        if self.all >= self.most:
            raise errors.Problem(
                503,
                "unavailable",
                "This server has as many live feeds as it can hold. Try again later.",
                headers={"Retry-After": str(_FULL_SECONDS)},
            )

    def take(self, place: str) -> str:
        """One more, to be left again. Raises errors.Problem 429 or 503."""
        with self.turn:
            self.check()
            if self.taken[place] >= MOST_SOCKETS:
                raise errors.Problem(
                    429,
                    "too_many_sockets",
                    f"This device has {MOST_SOCKETS} open sockets. Close one of them.",
                )
            self.taken[place] += 1
            self.all += 1
        return place

    def leave(self, place: str) -> None:
        """One less."""
        with self.turn:
            self.taken[place] -= 1
            self.all -= 1
            if not self.taken[place]:
                del self.taken[place]


def _place(person: Person) -> str:
    """The device; a session that has enrolled none yet counts as one."""
    return person.session.id if person.device is None else person.device.id


def _person(site: Site) -> tuple[Person, str]:
    """Who opens the socket, and the cookie by which a browser did; such a one brings a ticket."""
    asked = views.read_request(site)
    cookie = cookies.of(site.rules, asked)
    if cookie and "authorization" not in asked.headers:
        cookies.check_origin(site.rules, asked)
        return site.devices.browsers.person(cookie), cookie
    call = DeviceCall(
        request.headers.get("Authorization"),
        request.headers.getlist("DPoP"),
        "GET",
        site.rules.issuer + PATH,
    )
    return site.users.device_auth.authenticate(call), ""


def _cursor() -> int | None:
    text = request.args.get("cursor")
    if text is None:
        return None
    if not _CURSOR.fullmatch(text):
        raise errors.Problem(422, "invalid_body", "cursor must be a number from an earlier frame.")
    return int(text)


class _WholeFrames:
    """The connection under a WebSocket, which the library writes to with `send`.

    A plain `send` takes what the buffers hold and drops the rest, which breaks every later frame.
    Here each call sends all of it, in the order of the calls, or raises OSError.
    """

    def __init__(self, connection: sockets.socket) -> None:
        self._connection = connection
        self._turn = threading.Lock()
        connection.settimeout(_LONGEST_SEND_SECONDS)

    def send(self, data: bytes) -> int:
        """Send all of it."""
        with self._turn:
            self._connection.sendall(data)
        return len(data)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever a socket has
        return getattr(self._connection, name)


@dataclass(slots=True)
class _Conversation:
    site: Site
    socket: Server
    person: Person
    wanted: int | None
    cursor: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def has_ticket(self, cookie: str) -> bool:
        """Reports whether the first word is a page's ticket; if not, it was the last one.

        A cookie alone also comes with sockets that other sites open (security of WebSockets, RFC
        6455 10.2); a ticket is told to our own pages.
        """
        try:
            said = _message(self.socket.receive(_LONGEST_SILENCE_SECONDS))
            if self.site.devices.browsers.redeem(cookie, str(said.get("ticket"))):
                return True
        except (ConnectionClosed, OSError):
            return False
        except Busy:
            self._close(_RESTART, "busy")
            return False
        self._close(_TOKEN_OVER, "no ticket")
        return False

    def run(self, cookie: str) -> None:
        """Greet, then send what happens until somebody ends it; a browser brings a ticket."""
        if cookie and not self.has_ticket(cookie):
            return
        telemetry.SOCKETS.inc()
        self.socket.sock = _WholeFrames(self.socket.sock)
        try:
            with self.site.notifications.hub.subscribe(user_topic(self.person.user.id)) as changed:
                listener = threading.Thread(target=self._listen, args=(changed,), daemon=True)
                self.cursor = (
                    self.site.notifications.feed.head() if self.wanted is None else self.wanted
                )
                self._greet()
                listener.start()
                self._send_news(changed)
        except Busy:
            self._close(_RESTART, "busy")
        except (ConnectionClosed, OSError):
            self._hang_up(sockets.SHUT_RDWR)
        finally:
            self.over.set()
            telemetry.SOCKETS.dec()

    def _greet(self) -> None:
        self._send(
            {
                "type": "hello",
                "cursor": self.cursor,
                "token_expires_at": rfc3339(self.person.token_expires_at),
                "server_time": rfc3339(self.site.notifications.feed.now()),
            }
        )

    def _send_news(self, changed: threading.Event) -> None:
        while not self.over.is_set():
            changed.clear()
            if self.site.readiness.ending:
                return self._close(_RESTART, "restarting")
            left = (self.person.token_expires_at - self.site.clock.now()) / 1000
            if left <= 0:
                return self._close(_TOKEN_OVER, "token expired")
            news = self._news()
            if not news.allowed:
                return self._close(_STOPPED, "stopped")
            self._pass_on(news)
            if not news.more:
                changed.wait(min(left, _LONGEST_WAIT_SECONDS))
        return None

    def _news(self) -> FeedPage:
        device = self.person.device
        return self.site.notifications.feed.news(
            self.person.user.id, None if device is None else device.id, self.cursor
        )

    def _pass_on(self, news: FeedPage) -> None:
        if news.resync:
            self._send({"type": "resync", "cursor": news.cursor})
        for happening in news.happenings:
            self._send(event_wire.event(happening))
        self.cursor = news.cursor
        if self.person.device is not None:
            self.site.notifications.feed.delivered(self.person.device.id, news)

    def _listen(self, changed: threading.Event) -> None:
        """Read what the client says until it goes away."""
        try:
            while not self.over.is_set():
                self._hear(self.socket.receive())
        except (ConnectionClosed, OSError):
            pass
        finally:
            self.over.set()
            changed.set()

    def _hear(self, frame: str | bytes | None) -> None:
        message = _message(frame)
        if message.get("type") != "renew":
            return self._close(_BAD_MESSAGE, "unknown message")
        call = DeviceCall(
            f"DPoP {message.get('access_token')}",
            [str(message.get("proof"))],
            "GET",
            self.site.rules.issuer + PATH,
        )
        try:
            renewed = self.site.users.device_auth.authenticate(call)
        except errors.Problem:
            return self._close(_TOKEN_OVER, "renewal refused")
        except Busy:
            return None  # the socket stands until its token ends, and the client asks again
        if renewed.session.id != self.person.session.id:
            return self._close(_TOKEN_OVER, "renewal of another session")
        self.person = renewed
        return self._send(
            {"type": "renewed", "token_expires_at": rfc3339(renewed.token_expires_at)}
        )

    def _send(self, frame: dict[str, object]) -> None:
        self.socket.send(json_text.compact(frame))

    def _close(self, code: int, why: str) -> None:
        """Say why, and let the other side find the end of the connection behind it."""
        self.over.set()
        with suppress(ConnectionClosed, OSError):
            self.socket.close(code, why)
        self._hang_up(sockets.SHUT_WR)

    def _hang_up(self, how: int) -> None:
        with suppress(OSError):
            self.socket.sock.shutdown(how)


def _message(frame: str | bytes | None) -> dict[str, object]:
    try:
        value = json_text.parse(frame or b"", max_bytes=_MOST_BYTES)
    except errors.InvalidRequest:
        return {}
    return dict(value) if isinstance(value, dict) else {}
