"""Many requests that arrive at the same moment: each connection has only its last byte to send.

Owns: raw HTTP/1.1 over sockets. Never: the meaning of the requests.
"""

import base64
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.support.clients.agent import CIBA
from tests.support.servers.server import AgentKey

_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answered:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:  # JSON
        """Return the JSON body."""
        return json.loads(self.body)


def post(path: str, key: AgentKey, form: dict[str, str], *, keep: bool = False) -> bytes:
    """Return the bytes of an agent's form post."""
    return _request(path, key, "application/x-www-form-urlencoded", urlencode(form), keep=keep)


def post_json(path: str, key: AgentKey, value: object) -> bytes:
    """Return the bytes of a resource's JSON post."""
    return _request(path, key, "application/json", json.dumps(value), keep=False)


def _request(path: str, key: AgentKey, kind: str, text: str, *, keep: bool) -> bytes:
    body = text.encode()
    basic = base64.b64encode(f"{key.id}:{key.secret}".encode()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {basic}\r\n"
        f"Content-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    )
    return head.encode() + body


def poll(key: AgentKey, auth_req_id: str, *, keep: bool = False) -> bytes:
    """Return the bytes of a poll."""
    return post("/token", key, {"grant_type": CIBA, "auth_req_id": auth_req_id}, keep=keep)


def volley(port: int, requests: Sequence[bytes]) -> list[Answered]:
    """Send all requests at the same moment; return the responses in the order of the requests."""
    lines = [socket.create_connection(("127.0.0.1", port), _TIMEOUT_SECONDS) for _ in requests]
    for line, request in zip(lines, requests, strict=True):
        line.sendall(request[:-1])
    for line, request in zip(lines, requests, strict=True):
        line.sendall(request[-1:])
    answers = [_read(line) for line in lines]
    for line in lines:
        line.close()
    return answers


def _read(line: socket.socket) -> Answered:
    read = b""
    while piece := line.recv(65_536):
        read += piece
    head, _, body = read.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    headers = dict(field.lower().split(": ", 1) for field in fields)
    return Answered(int(status.split()[1]), headers, body)
