"""The HTTP side of the fake server: requests, responses, and faults that tests set."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import jwt

RETRY_AFTER = "17"
USER_CODE = "BCDF-GHJK"


class Refused(Exception):
    """Raised to answer a request with an error."""

    def __init__(self, status: int, code: str, **members: object) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"code": code, "error": code, "detail": f"Refused: {code}.", **members}


@dataclass(frozen=True, slots=True)
class Call:
    """An authenticated request."""

    names: tuple[str, ...]
    query: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, object]:
        """Return the JSON object that was sent."""
        body = json.loads(self.raw)
        if not isinstance(body, dict):
            raise Refused(422, "invalid_body")
        return body


@dataclass(slots=True)
class Faults:
    """The faults that occur next; each one occurs once."""

    lose_answer_to: set[str] = field(default_factory=set)
    """Path suffixes: such a request is processed, but its response is lost."""
    drop_request_to: set[str] = field(default_factory=set)
    """Path suffixes: such a request is lost before it is processed."""
    refuse_token_once: bool = False
    is_rate_limited: bool = False
    """Whether the next request gets 429 with `Retry-After: RETRY_AFTER`."""


class Answering(Protocol):
    """The server that computes the responses."""

    faults: Faults
    is_stopped: bool
    issuer: str
    lock: threading.Lock

    def now(self) -> int:
        """Return the time in milliseconds."""

    def check_proof(self, proof: str, method: str, path: str, token: str | None) -> dict[str, str]:
        """Return the key that a DPoP proof is signed with."""

    def check_token(self, authorization: str, proof: str, method: str, path: str) -> None:
        """Raise `Refused` if the token is not valid."""

    def grant(self, form: dict[str, str], proof_key: dict[str, str]) -> object:
        """Return the response body of the token endpoint."""

    def answer(self, method: str, path: str, query: dict[str, str], raw: bytes) -> object:
        """Return the response body for an authenticated request."""


class Handler(BaseHTTPRequestHandler):
    """Reads requests and writes responses."""

    fake: Answering
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one segment per answer, or the peer's delayed ACK costs 40 ms

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002  # the library's signature
        """Return this server's time for the Date header."""
        return super().date_time_string(self.fake.now() / 1000)

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.fake.is_stopped or self._is_hit(self.fake.faults.drop_request_to, parts.path):
            self.close_connection = True
            return
        with self.fake.lock:
            status, body = self._outcome(lambda: self._done(parts.path, parts.query, raw))
        if self._is_hit(self.fake.faults.lose_answer_to, parts.path):
            return
        self._send(status, body)

    def _is_hit(self, ends: set[str], path: str) -> bool:
        hit = {end for end in ends if path.endswith(end)}
        ends -= hit
        self.close_connection |= bool(hit)
        return bool(hit)

    def _outcome(self, work: Callable[[], object]) -> tuple[int, object]:
        try:
            return 200, work()
        except Refused as refused:
            return refused.status, refused.body
        except (jwt.PyJWTError, KeyError, ValueError) as error:
            return 422, {"code": "invalid_body", "detail": repr(error)}

    def _done(self, path: str, query: str, raw: bytes) -> object:
        fake = self.fake
        if path == "/.well-known/openid-configuration":
            return {"issuer": fake.issuer, "token_endpoint": f"{fake.issuer}/token"}
        proof = self.headers["DPoP"]
        if path == "/device_authorization":
            fake.check_proof(proof, self.command, path, None)
            codes = {"device_code": "sayso_dc_x", "user_code": USER_CODE}
            return codes | {"interval": 0, "expires_in": 900}
        if path == "/token":
            key = fake.check_proof(proof, self.command, path, None)
            return fake.grant(flat(raw.decode()), key)
        fake.check_token(self.headers["Authorization"], proof, self.command, path)
        if fake.faults.is_rate_limited:
            fake.faults.is_rate_limited = False
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "rate_limited")
        return fake.answer(self.command, path, flat(query), raw)

    def _send(self, status: int, body: object) -> None:
        raw = b"" if body is None else json.dumps(body).encode()
        self.send_response(204 if body is None else status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            self.send_header("Retry-After", RETRY_AFTER)
        self.end_headers()
        self.wfile.write(raw)


def flat(query: str) -> dict[str, str]:
    """Return the first value of each parameter of a query or form."""
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
