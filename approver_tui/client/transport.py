"""One request to the server: proof, token, timeouts, and errors.

Owns: httpx, DPoP on every request, the server's clock. Never: paths of the API, renewing tokens,
the meaning of an answer.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from approver_tui.client import errors
from approver_tui.client.jose import SigningKey, dpop_proof
from approver_tui.client.reading import JsonObject, parse_json
from approver_tui.client.sign_in.tokens import Tokens

Clock = Callable[[], int]
"""The wall clock: milliseconds since the epoch."""

CLIENT_ID = "sayso-approver"
PROMISES = "Sayso-Promises"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TIMEOUT = httpx.Timeout(20, connect=5, pool=5)
_SKEW_TOLERANCE_MS = 2_000
_UNKNOWN_AUTHORITY = frozenset({18, 19, 20, 21})
"""OpenSSL's codes for a certificate from an unknown authority."""
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""Errors before any byte of the request was sent: DNS, connection, TLS or proxy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRequest:
    """One request, without its proof."""

    method: str
    path: str
    token: str | None = None
    json: object = None
    form: Mapping[str, str] | None = None
    params: Mapping[str, str] | None = None


class Transport:
    """Requests to one issuer, with DPoP proofs of one session key. Several threads may use it."""

    def __init__(self, issuer: str, key: SigningKey, *, clock: Clock) -> None:
        self.issuer = issuer.rstrip("/")
        self._key = key
        self.clock = clock
        self._skew = 0
        self._http = new_http(self.issuer)
        self.on_promises: Callable[[str], None] = lambda _promises: None
        """Called with the audit log promises of a response."""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def skew(self) -> int:
        """How far the server's clock is ahead, in milliseconds; 0 for a negligible difference."""
        return self._skew

    def now(self) -> int:
        """Return the server's time, as far as it is known."""
        return self.clock() + self._skew

    def observe(self, server_time: int, since: int) -> None:
        """Learn the server's time, so that proofs and countdowns work with a wrong local clock.

        `since` is when the request was sent, on this machine's clock. A slow answer is ignored: it
        may have waited here while this program was stopped or the machine was asleep.
        """
        if self.clock() - since > _SKEW_TOLERANCE_MS:
            return
        skew = server_time - self.clock()
        self._skew = skew if abs(skew) > _SKEW_TOLERANCE_MS else 0

    def proof(self, method: str, path: str, access_token: str | None = None) -> str:
        """Return a DPoP proof for one request."""
        return dpop_proof(
            self._key,
            method=method,
            uri=self.issuer + path,
            at=self.now() // 1000,
            access_token=access_token,
        )

    def tokens(self, form: Mapping[str, str]) -> Tokens:
        """Return the tokens of a grant. Raises ApiError with the OAuth code."""
        body = {"client_id": CLIENT_ID, **form}
        response = self.send(OutgoingRequest(method="POST", path="/token", form=body))
        members = JsonObject.parse(response.content)
        return Tokens(
            access_token=members.text("access_token"),
            refresh_token=members.text("refresh_token"),
            expires_at=self.clock() + members.integer("expires_in") * 1000,
        )

    def send(self, outgoing: OutgoingRequest) -> httpx.Response:
        """Return the answer to a request. Raises ApiError or Unreachable."""
        since = self.clock()
        response = self._send_once(outgoing)
        if _is_proof_rejected(response) and self._learn_time(response, since):
            response = self._send_once(outgoing)
        if not response.is_success:
            raise refusal(response)
        if promises := response.headers.get(PROMISES):
            self.on_promises(promises)
        return response

    def _send_once(self, outgoing: OutgoingRequest) -> httpx.Response:
        headers = {"DPoP": self.proof(outgoing.method, outgoing.path, outgoing.token)}
        if outgoing.token is not None:
            headers["Authorization"] = f"DPoP {outgoing.token}"
        request = self._http.build_request(
            outgoing.method,
            outgoing.path,
            headers=headers,
            json=outgoing.json,
            data=outgoing.form,
            params=outgoing.params,
        )
        return exchange(self._http, request)

    def _learn_time(self, response: httpx.Response, since: int) -> bool:
        """Learn the time from the answer's Date after a proof was rejected for its time."""
        try:
            moment = parsedate_to_datetime(response.headers.get("Date", ""))
        except ValueError:
            return False
        old_skew = self._skew
        self.observe(int(moment.timestamp() * 1000), since)
        return abs(self._skew - old_skew) > _SKEW_TOLERANCE_MS


def new_http(base_url: str) -> httpx.Client:
    """Return an HTTP client. A proxy is never used for a server on this machine.

    `SSL_CERT_FILE` and `SSL_CERT_DIR` name the authorities, for this machine too. Loading all
    authorities takes as long as a request; for a plain-text address they are not loaded, and its
    context trusts nobody.
    """
    parts = urlsplit(base_url)
    is_local = parts.hostname in LOOPBACK
    is_plain = parts.scheme == "http"
    return httpx.Client(
        base_url=base_url,
        timeout=_TIMEOUT,
        trust_env=not is_local,
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else httpx.create_ssl_context(),
        headers={"Accept": "application/json", "User-Agent": CLIENT_ID},
    )


def exchange(http: httpx.Client, request: httpx.Request) -> httpx.Response:
    """Send one request; every failure below HTTP becomes Unreachable."""
    server = _authority(request)
    try:
        return http.send(request)
    except _NOT_SENT as error:
        raise _connection_error(server, error) from error
    except httpx.TimeoutException as error:
        message = f"{server} did not respond in time."
        raise errors.Unreachable(message, was_sent=True, is_silent=True) from error
    except httpx.TransportError as error:
        raise errors.Unreachable(f"The connection to {server} broke.", was_sent=True) from error


def _connection_error(server: str, error: BaseException) -> errors.Unreachable:
    """Return the error that says why nothing was sent; an invalid certificate has its own error."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        return errors.Unreachable(f"{server} does not respond.")
    message = f"{server} has an invalid certificate: {cause.verify_message}."
    if cause.verify_code in _UNKNOWN_AUTHORITY:
        message += " Set SSL_CERT_FILE to trust your own certificate authority."
    return errors.CertificateRefused(message)


_ERROR_CLASSES: Mapping[str, type[errors.ApiError]] = {
    "device_locked": errors.DeviceLocked,
    "pin_exhausted": errors.DeviceLocked,
    "request_locked": errors.RequestLocked,
    "wrong_entry": errors.WrongEntry,
}
"""The error class of each code."""


def refusal(response: httpx.Response) -> errors.ApiError:
    """Return the error for a response with status 400 or higher."""
    members = _problem_members(response)
    status_text = f"The server answered {response.status_code}."
    code = _first_text(members, "code", "error") or f"http_{response.status_code}"
    detail = _first_text(members, "detail", "error_description") or status_text
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return errors.LoginFirst(detail, code)
    kind = _ERROR_CLASSES.get(code, errors.ApiError)
    if "Retry-After" in response.headers:
        members = {**members, "retry_after": response.headers["Retry-After"]}
    return kind(code, response.status_code, detail, members)


def _is_proof_rejected(response: httpx.Response) -> bool:
    return not response.is_success and refusal(response).code == "invalid_dpop_proof"


def _problem_members(response: httpx.Response) -> Mapping[str, object]:
    """Return the problem document; a proxy may answer in HTML, which is an error too."""
    try:
        parsed = parse_json(response.content)
    except errors.WireError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _first_text(members: Mapping[str, object], *names: str) -> str:
    """Return the first of these members that is a string and not empty, or ""."""
    values = (members.get(name) for name in names)
    return next((value for value in values if value and isinstance(value, str)), "")


def _authority(request: httpx.Request) -> str:
    return str(request.url.copy_with(raw_path=b"/")).rstrip("/")
