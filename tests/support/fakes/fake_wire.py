"""The wire of the small server: a request in, an answer out, the faults that tests ask for."""

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
    """What a request is answered with instead."""

    def __init__(self, status: int, code: str, **members: object) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"code": code, "error": code, "detail": f"Refused: {code}.", **members}


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request."""

    names: tuple[str, ...]
    query: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, object]:
        """The JSON object that was sent."""
        body = json.loads(self.raw)
        if not isinstance(body, dict):
            raise Refused(422, "invalid_body")
        return body


@dataclass(slots=True)
class Faults:
    """What goes wrong next; each is used up."""

    lose_answer_to: set[str] = field(default_factory=set)
    """Ends of paths whose request is done and whose answer is lost."""
    drop_request_to: set[str] = field(default_factory=set)
    """Ends of paths whose request is lost before it is done."""
    refuse_token_once: bool = False
    is_too_often: bool = False
    """Whether what is asked next comes too soon, `RETRY_AFTER` seconds of it."""


class Answering(Protocol):
    """What answers."""

    faults: Faults
    is_stopped: bool
    issuer: str
    lock: threading.Lock

    def now(self) -> int:
        """The time in milliseconds."""

    def check_proof(self, proof: str, method: str, path: str, token: str | None) -> dict[str, str]:
        """The key that a DPoP proof is signed with."""

    def check_token(self, authorization: str, proof: str, method: str, path: str) -> None:
        """Refuse a token that is none."""

    def grant(self, form: dict[str, str], proof_key: dict[str, str]) -> object:
        """Tokens."""

    def answer(self, method: str, path: str, query: dict[str, str], raw: bytes) -> object:
        """The body of the answer to an authenticated request."""


class Handler(BaseHTTPRequestHandler):
    """HTTP in and out."""

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
        """The Date header tells this server's time."""
        return super().date_time_string(self.fake.now() / 1000)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

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
        if fake.faults.is_too_often:
            fake.faults.is_too_often = False
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
    """A query or form, by name."""
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
