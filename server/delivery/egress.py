"""The only door outward. No redirects, short time limits, bounded answers, no proxy from outside.

A target that the operator configured may be anywhere. One that an agent's registration names must
be public: its name is resolved once, the address is judged, and that very address is connected to,
so that a name which changes its address in between changes nothing.
"""

import contextlib
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests_hardened import Config, Manager
from requests_hardened.ip_filter import InvalidIPAddress, filter_host
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from server.protocol.resources import uris
from server.services.ciba.callbacks import CallbackRequest

_TIMES = (3, 5)
"""Seconds to connect, and between two pieces of the answer."""
_MOST_SECONDS = 5
"""For the whole body of the answer."""
_LONGEST_SECONDS = 20
"""For everything that happens on one connection, however slowly the other end speaks."""
_MOST_BYTES = 64 * 1024
_SUCCESS, _REDIRECT, _FAULT = 200, 300, 500
_LATER = frozenset({408, 425, 429})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_OLD_IPV4: Final = ipaddress.ip_network("::/96")
_PORTS: Final = {"http": 80, "https": 443}

logging.getLogger("requests_hardened").setLevel(logging.CRITICAL)
"""It would log the very name; what is refused is said once, in our words."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Undeliverable(Exception):
    """The message did not arrive. `retry` says whether another try can help.

    `after_ms` is how long the other end asks us to wait for it; 0 when it does not say.
    """

    def __init__(self, why: str, *, retry: bool, after_ms: int = 0) -> None:
        super().__init__(why)
        self.retry = retry
        self.after_ms = after_ms


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: its status, at most 64 KiB of its body, its headers in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a request may go when its target was not named by the operator."""

    ports: frozenset[int] = frozenset({443})
    networks: tuple[Network, ...] = ()
    """Private networks that count as public here."""
    development: bool = False
    """The installation is on the loopback, and so may be who is called, by plain http too."""
    ca_file: str = ""
    """Authorities to trust instead of the public ones."""


def send(
    method: str,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    reach: Reach | None = None,
    most: int = _MOST_BYTES,
) -> Answer:
    """One request; without a `reach` the operator named the target. At most `most` bytes are read.

    Raises `Undeliverable` without an answer.
    """
    if refused := _refused(url, reach):
        raise Undeliverable(refused, retry=False)
    try:
        with (
            _session(reach) as session,
            session.request(method, url, data=body, headers=dict(headers), stream=True) as response,
        ):
            said = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, _read(response.raw, most), said)
    except InvalidIPAddress as error:
        raise Undeliverable("the target is not at a public address", retry=False) from error
    except (requests.RequestException, HTTPError, UnicodeError) as error:
        raise Undeliverable(type(error).__name__, retry=True) from error


def post(url: str, body: bytes, headers: Mapping[str, str], reach: Reach | None = None) -> None:
    """POST; 2xx is success and its body is not looked at. Raises `Undeliverable`."""
    status = send("POST", url, body=body, headers=headers, reach=reach).status
    if not _SUCCESS <= status < _REDIRECT:
        raise Undeliverable(f"status {status}", retry=status >= _FAULT or status in _LATER)


def call_back(call: CallbackRequest, reach: Reach) -> None:
    """Tell an agent; 2xx is success. Raises `Undeliverable`."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {call.token}"}
    post(call.url, call.body, headers, reach)


def problem(url: str, reach: Reach) -> str:
    """Why an agent may not be called at this URL, as things are now; "" when it may.

    A name that nobody knows yet is no problem: it is judged again whenever something is sent.
    """
    if refused := _refused(url, reach):
        return refused
    parts = urlsplit(url)
    try:
        _address(parts.hostname or "", parts.port or _PORTS[parts.scheme], reach)
    except InvalidIPAddress:
        return "the target is not at a public address"
    except (requests.RequestException, UnicodeError):
        return ""
    return ""


def _refused(url: str, reach: Reach | None) -> str:
    """What can be said against a target without asking anybody."""
    if reach is None:
        return "" if _may_leave(url) else "the target must be https"
    if refused := uris.callback_problem(url, development=reach.development):
        return f"the target {refused}"
    parts = urlsplit(url)
    at_home = reach.development and parts.hostname in _LOOPBACK
    if not at_home and (parts.port or _PORTS[parts.scheme]) not in reach.ports:
        return f"the target's port must be {' or '.join(map(str, sorted(reach.ports)))}"
    return ""


def _may_leave(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _read(raw: HTTPResponse, most: int) -> bytes:
    """At most so many bytes in so many seconds, however slowly they come."""
    ends = time.monotonic() + _MOST_SECONDS
    body = b""
    while len(body) < most and (piece := raw.read1(most, decode_content=False)):
        body += piece
        if time.monotonic() > ends:
            raise Undeliverable("the answer takes too long", retry=True)
    return body[:most]


def _address(host: str, port: int, reach: Reach) -> str:
    """The one address that this name has now, if we may go there. Raises `InvalidIPAddress`."""
    try:
        found = str(filter_host(host, port, allow_loopback=reach.development))
        _refuse_old_forms(ipaddress.ip_address(found.strip("[]")))
    except InvalidIPAddress as refusal:
        address = refusal.args[0]
        if not any(address in network for network in reach.networks):
            raise
        found = f"[{address}]" if isinstance(address, ipaddress.IPv6Address) else str(address)
    return found


def _refuse_old_forms(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """Site-local ones, and IPv4's within IPv6: given up, and some lead inside all the same.

    Raises `InvalidIPAddress`.
    """
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return
    if address.is_site_local or address in _OLD_IPV4:
        raise InvalidIPAddress(address)


def _session(reach: Reach | None) -> requests.Session:
    session: requests.Session = _MANAGER.get_session()
    session.trust_env = False  # neither proxies nor passwords
    session.headers["Accept-Encoding"] = "identity"  # and what comes packed is not unpacked
    if reach is not None and reach.ca_file:
        session.verify = reach.ca_file
    for scheme in _PORTS:
        session.mount(f"{scheme}://", _Door(reach))
    return session


class _Door(HTTPAdapter):
    """Connects to the address that was judged, under the name that was asked for."""

    def __init__(self, reach: Reach | None) -> None:
        super().__init__()
        self._reach = reach

    def build_connection_pool_key_attributes(  # type: ignore[override]  # requests names its own types
        self, request: requests.PreparedRequest, *rest: object
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What decides whom we connect to; certificates are checked against the name."""
        whom: tuple[Any, Any] = super().build_connection_pool_key_attributes(
            request,
            *rest,  # type: ignore[arg-type]  # handed on as they came
        )
        host, pool = whom
        if self._reach is None:
            return host, pool
        name, port = str(host["host"]), host["port"] or _PORTS[host["scheme"]]
        request.headers["Host"] = urlsplit(request.url or "").netloc
        if host["scheme"] == "https":
            pool |= {"assert_hostname": name, "server_hostname": name}
        host["host"] = _address(name.strip("[]"), port, self._reach)
        return host, pool

    def get_connection_with_tls_context(self, *args: object, **named: object) -> HTTPConnectionPool:
        """A pool whose connections end by themselves."""
        pool: Any = super().get_connection_with_tls_context(
            *args,  # type: ignore[arg-type]  # handed on as they came
            **named,  # type: ignore[arg-type]  # likewise
        )
        pool.ConnectionCls = _ShortSecure if pool.scheme == "https" else _Short
        return cast("HTTPConnectionPool", pool)


class _Short(HTTPConnection):
    """A connection that is cut after a while, whatever it is doing then."""

    _cut: "_Cut | None" = None

    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        self._cut = _Cut(made)
        return made

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        """The answer, unless its head was cut: half of one is none."""
        answer = super().getresponse()
        if self._cut is not None and self._cut.over:
            answer.close()
            raise TimeoutError("the answer takes too long")
        return answer

    def close(self) -> None:
        """Close it before its time."""
        if self._cut is not None:
            self._cut.cancel()
        super().close()


class _ShortSecure(_Short, HTTPSConnection):
    """The same under TLS, handshake included."""


class _Cut:
    """Ends a connection when its time is over.

    It does so through a descriptor of its own, because TLS takes the first one away.
    """

    def __init__(self, made: socket.socket) -> None:
        self.over = False
        self._spare = made.dup()
        self._timer = threading.Timer(_LONGEST_SECONDS, self._end)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        """The connection was closed in time."""
        self._timer.cancel()
        self._spare.close()

    def _end(self) -> None:
        self.over = True
        with contextlib.suppress(OSError):
            self._spare.shutdown(socket.SHUT_RDWR)


_MANAGER = Manager(
    Config(
        default_timeout=_TIMES,
        never_redirect=True,
        ip_filter_enable=False,  # `_Door` filters, for the targets that are not the operator's
        ip_filter_allow_loopback_ips=True,
        user_agent_override="sayso",
    )
)
