"""All outbound requests: no redirects, short timeouts, bounded responses, no proxy settings.

A target from the settings may have any address. A target from an agent's registration must have a
public address: its name is resolved once, the address is checked, and the connection uses that
address, which prevents DNS rebinding.
"""

import contextlib
import ipaddress
import logging
import socket
import ssl
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
from urllib3.util.ssl_match_hostname import CertificateError

from server.model.ports import Fetched, Unreachable
from server.protocol.resources import uris

_TIMEOUT_SECONDS = (3, 5)
"""The timeouts for connecting, and between two reads."""
_MAX_BODY_SECONDS = 5
"""The time limit for the whole body of the response."""
_MAX_CONNECTION_SECONDS = 20
"""The time limit for a connection."""
_MAX_BYTES = 64 * 1024
_SUCCESS, _REDIRECT, _SERVER_ERROR = 200, 300, 500
_RETRY_LATER = frozenset({408, 425, 429})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_IPV4_COMPATIBLE: Final = ipaddress.ip_network("::/96")
_PORTS: Final = {"http": 80, "https": 443}

logging.getLogger("requests_hardened").setLevel(logging.CRITICAL)
"""The library would log the refused host name; our own log entry omits it."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Undeliverable(Unreachable):
    """A message could not be delivered.

    `after_ms` is the pause that the target requests before a retry; 0 if it requests none.
    """

    def __init__(self, reason: str, *, retry: bool, after_ms: int = 0) -> None:
        super().__init__(reason, retry=retry)
        self.after_ms = after_ms


@dataclass(frozen=True, slots=True)
class EgressLimits:
    """The limits on requests to targets that are not from the settings."""

    ports: frozenset[int] = frozenset({443})
    networks: tuple[Network, ...] = ()
    """The private networks that are allowed."""
    development: bool = False
    """Whether Sayso runs on a loopback address. Targets may then be on loopback too, with http."""
    ca_file: str = ""
    """A file with the certificate authorities to trust instead of the public ones."""


def send(
    method: str,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    reach: EgressLimits | None = None,
    max_bytes: int = _MAX_BYTES,
) -> Fetched:
    """Send a request; without a `reach`, the target is one from the settings.

    Reads at most `max_bytes` of the response. Raises `Undeliverable` if there is no response.
    """
    if refusal := _find_refusal(url, reach):
        raise Undeliverable(refusal, retry=False)
    try:
        with (
            _session(reach) as session,
            session.request(method, url, data=body, headers=dict(headers), stream=True) as response,
        ):
            lower_headers = {name.lower(): value for name, value in response.headers.items()}
            return Fetched(response.status_code, _read(response.raw, max_bytes), lower_headers)
    except InvalidIPAddress as error:
        raise Undeliverable("the target is not at a public address", retry=False) from error
    except (requests.RequestException, HTTPError, UnicodeError) as error:
        raise Undeliverable(reason(error), retry=True) from error


def post(
    url: str, body: bytes, headers: Mapping[str, str], reach: EgressLimits | None = None
) -> None:
    """POST a body and ignore the response body. Raises `Undeliverable` unless the status is 2xx."""
    status = send("POST", url, body=body, headers=headers, reach=reach).status
    if not _SUCCESS <= status < _REDIRECT:
        raise Undeliverable(f"status {status}", retry=is_temporary(status))


def is_temporary(status: int) -> bool:
    """Return whether a request with this response may succeed later."""
    return status >= _SERVER_ERROR or status in _RETRY_LATER


def has_certificate(ca_file: str) -> bool:
    """Return whether TLS can read the certificates in a PEM file, and there is at least one."""
    try:
        ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        return False
    return True


def connect_tls(host: str, port: int, ca_file: str | None) -> ssl.SSLSocket:
    """Connect to a server from the settings, and verify its certificate. Raises OSError."""
    context = ssl.create_default_context(cafile=ca_file)
    plain = socket.create_connection((host, port), _MAX_CONNECTION_SECONDS)
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise


def reason(error: BaseException) -> str:
    """Return why a connection failed."""
    root_cause = error
    while (cause := root_cause.__cause__ or root_cause.__context__) is not None:
        root_cause = cause
    if isinstance(root_cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({root_cause.verify_message})"
    for kind, text in _REASONS.items():
        if isinstance(root_cause, kind):
            return text
    return type(root_cause).__name__


_REASONS: Final[Mapping[type[BaseException], str]] = {
    ConnectionRefusedError: "the connection was refused",
    socket.gaierror: "the host name is unknown",
    TimeoutError: "there was no response in time",
    ssl.SSLError: "the TLS handshake failed",
    ConnectionError: "the connection was closed",
    CertificateError: "its certificate is for a different name",
}


def problem(url: str, reach: EgressLimits) -> str:
    """Return why a URL is not allowed now; "" if it is allowed.

    An unknown host name is allowed, because each request checks the name again.
    """
    if refusal := _find_refusal(url, reach):
        return refusal
    parts = urlsplit(url)
    try:
        _resolve_address(parts.hostname or "", parts.port or _PORTS[parts.scheme], reach)
    except InvalidIPAddress:
        return "the target is not at a public address"
    except (requests.RequestException, UnicodeError):
        return ""
    return ""


def _find_refusal(url: str, reach: EgressLimits | None) -> str:
    """Return the reason to refuse a target, without resolving its name; "" if there is none."""
    if reach is None:
        return "" if _is_secure(url) else "the target must be https"
    if refusal := uris.callback_problem(url, development=reach.development):
        return f"the target {refusal}"
    parts = urlsplit(url)
    is_local = reach.development and parts.hostname in _LOOPBACK
    if not is_local and (parts.port or _PORTS[parts.scheme]) not in reach.ports:
        return f"the target's port must be {' or '.join(map(str, sorted(reach.ports)))}"
    return ""


def _is_secure(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _read(raw: HTTPResponse, max_bytes: int) -> bytes:
    """Read the body, up to a size and a time limit."""
    deadline = time.monotonic() + _MAX_BODY_SECONDS
    body = b""
    while len(body) < max_bytes and (part := raw.read1(max_bytes, decode_content=False)):
        body += part
        if time.monotonic() > deadline:
            raise Undeliverable("the response took too long", retry=True)
    return body[:max_bytes]


def _resolve_address(host: str, port: int, reach: EgressLimits) -> str:
    """Resolve a host name to an allowed address. Raises `InvalidIPAddress`."""
    try:
        allowed = str(filter_host(host, port, allow_loopback=reach.development))
        _refuse_deprecated(ipaddress.ip_address(allowed.strip("[]")))
    except InvalidIPAddress as refusal:
        address = refusal.args[0]
        if not any(address in network for network in reach.networks):
            raise
        allowed = f"[{address}]" if isinstance(address, ipaddress.IPv6Address) else str(address)
    return allowed


def _refuse_deprecated(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """Refuse site-local and IPv4-compatible IPv6 addresses, which may be internal.

    Raises `InvalidIPAddress`.
    """
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return
    if address.is_site_local or address in _IPV4_COMPATIBLE:
        raise InvalidIPAddress(address)


def _session(reach: EgressLimits | None) -> requests.Session:
    session: requests.Session = _MANAGER.get_session()
    session.trust_env = False  # ignore proxies and passwords from the environment
    session.headers["Accept-Encoding"] = "identity"  # compressed responses are not decoded either
    if reach is not None and reach.ca_file:
        session.verify = reach.ca_file
    for scheme in _PORTS:
        session.mount(f"{scheme}://", _CheckedAdapter(reach))
    return session


class _CheckedAdapter(HTTPAdapter):
    """Connects to the checked address, and sends the URL's host name."""

    def __init__(self, reach: EgressLimits | None) -> None:
        super().__init__()
        self._reach = reach

    def build_connection_pool_key_attributes(  # type: ignore[override]  # requests names its own types
        self, request: requests.PreparedRequest, *args: object
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Replace the host with its checked address; certificates must still match the name."""
        attributes: tuple[Any, Any] = super().build_connection_pool_key_attributes(
            request,
            *args,  # type: ignore[arg-type]  # passed on unchanged
        )
        host, pool = attributes
        if self._reach is None:
            return host, pool
        name, port = str(host["host"]), host["port"] or _PORTS[host["scheme"]]
        request.headers["Host"] = urlsplit(request.url or "").netloc
        if host["scheme"] == "https":
            pool |= {"assert_hostname": name, "server_hostname": name}
        host["host"] = _resolve_address(name.strip("[]"), port, self._reach)
        return host, pool

    def get_connection_with_tls_context(
        self, *args: object, **kwargs: object
    ) -> HTTPConnectionPool:
        """Return a pool whose connections have a total time limit."""
        pool: Any = super().get_connection_with_tls_context(
            *args,  # type: ignore[arg-type]  # passed on unchanged
            **kwargs,  # type: ignore[arg-type]  # as above
        )
        pool.ConnectionCls = _LimitedHTTPS if pool.scheme == "https" else _LimitedHTTP
        return cast("HTTPConnectionPool", pool)


class _LimitedHTTP(HTTPConnection):
    """A connection with a total time limit."""

    _limit: "_TimeLimit | None" = None

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._limit = _TimeLimit(connection)
        return connection

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # the type in urllib3
        """Return the response.

        Raises TimeoutError if the time limit expired before the response headers were complete.
        """
        response = super().getresponse()
        if self._limit is not None and self._limit.exceeded:
            response.close()
            raise TimeoutError("the response took too long")
        return response

    def close(self) -> None:
        """Close the connection and cancel its timer."""
        if self._limit is not None:
            self._limit.cancel()
        super().close()


class _LimitedHTTPS(_LimitedHTTP, HTTPSConnection):
    """A TLS connection with a total time limit, which includes the handshake."""


class _TimeLimit:
    """Shuts a connection down after the time limit.

    It uses a duplicate of the file descriptor, because TLS detaches the original one.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.exceeded = False
        self._duplicate = connection.dup()
        self._timer = threading.Timer(_MAX_CONNECTION_SECONDS, self._end)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        """Cancel the timer, because the connection is closed."""
        self._timer.cancel()
        self._duplicate.close()

    def _end(self) -> None:
        self.exceeded = True
        with contextlib.suppress(OSError):
            self._duplicate.shutdown(socket.SHUT_RDWR)


_MANAGER = Manager(
    Config(
        default_timeout=_TIMEOUT_SECONDS,
        never_redirect=True,
        ip_filter_enable=False,  # `_CheckedAdapter` filters targets that are not from the settings
        ip_filter_allow_loopback_ips=True,
        user_agent_override="sayso",
    )
)
