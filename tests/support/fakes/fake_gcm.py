"""A local Google Cloud Messaging server for one Chromium: check-in, registration and MCS socket.

Owns: the MCS messages that a browser needs (version 41 over TLS: tag, length, Protocol Buffers).
Never: storing messages for a browser that is not connected.
"""

import base64
import contextlib
import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.fakes.push_service import PushService
from tests.support.fakes.receiver import certify

ORIGIN = "https://jmt17.google.com"
"""The push endpoint that Debian's Chromium reports."""
_VERSION = b"\x29"
_PING, _PONG, _LOGGED_IN, _MESSAGE = 0, 1, 3, 8
_TIMEOUT = 60.0


@dataclass(slots=True)
class FakeGcm:
    """The server for one browser."""

    service: PushService
    http_port: int = 0
    mcs_port: int = 0
    pin: str = ""
    """SHA-256 of the public key of the server's certificate, in base64."""
    subtypes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Token → the browser's name for the subscription, and its allowed sender."""
    wire: "ssl.SSLSocket | None" = None
    connected: threading.Condition = field(default_factory=threading.Condition)

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that make Chromium use this server."""
        return (
            f"--gcm-checkin-url=http://127.0.0.1:{self.http_port}/hello",
            f"--gcm-registration-url=http://127.0.0.1:{self.http_port}/register",
            f"--gcm-mcs-endpoint=https://localhost:{self.mcs_port}",
            f"--ignore-certificate-errors-spki-list={self.pin}",
        )

    def register(self, form: dict[str, str]) -> str:
        """Create or delete a subscription."""
        if form.get("delete") == "true":
            for token, (name, _) in tuple(self.subtypes.items()):
                if name == form.get("X-subtype"):
                    del self.subtypes[token]
                    self.service.known.pop(token, None)
            return f"token={form.get('appid', '')}"
        number, name = len(self.service.keys) + 1, form.get("X-subtype", "")
        token = hashlib.sha256(f"{name} {number}".encode()).hexdigest()
        if name:  # without a name, it is for the browser itself
            self.subtypes[token] = (name, form["sender"])
            self.service.known[token] = None
            self.service.keys[token] = form["sender"]
        return f"token={token}"

    def push(self, token: str, body: bytes, _headers: dict[str, str]) -> None:
        """Deliver a message after the browser has logged in."""
        name, sender = self.subtypes[token]
        facts = {"subtype": name, "content-encoding": "aes128gcm"}
        parts = [
            _text(2, token[:16]),
            _text(3, sender),
            _text(5, "org.chromium.linux"),
            *(_text(7, _text(1, key) + _text(2, value)) for key, value in facts.items()),
            _text(9, hashlib.sha256(body).hexdigest()),
            _text(21, body),
        ]
        with self.connected:
            assert self.connected.wait_for(lambda: self.wire is not None, _TIMEOUT)
            assert self.wire is not None
            self.wire.sendall(_framed(_MESSAGE, b"".join(parts)))

    def talk(self, wire: ssl.SSLSocket) -> None:
        """Serve one connection of the browser."""
        _exactly(wire, 1)
        _read(wire)
        wire.sendall(_VERSION + _framed(_LOGGED_IN, _text(1, "login")))
        with self.connected:
            self.wire = wire
            self.connected.notify_all()
        while True:
            if _read(wire) == _PING:
                wire.sendall(_framed(_PONG, b""))


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _text(field_number: int, value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return _varint(field_number << 3 | 2) + _varint(len(raw)) + raw


def _framed(tag: int, body: bytes) -> bytes:
    return bytes([tag]) + _varint(len(body)) + body


def _exactly(wire: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = wire.recv(count - len(got))
        if not piece:
            raise ConnectionError
        got += piece
    return got


def _read(wire: socket.socket) -> int:
    """Read one message and return its tag."""
    tag, size, shift = _exactly(wire, 1)[0], 0, 0
    while (byte := _exactly(wire, 1)[0]) & 0x80:
        size |= (byte & 0x7F) << shift
        shift += 7
    _exactly(wire, size | byte << shift)
    return tag


class _Endpoints(BaseHTTPRequestHandler):
    """Check-in and registration."""

    gcm: FakeGcm

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/hello":
            android = _varint(7 << 3 | 1) + (1).to_bytes(8, "little")
            security = _varint(8 << 3 | 1) + (2).to_bytes(8, "little")
            self._say(_varint(1 << 3) + b"\x01" + android + security)
        else:
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            self._say(self.gcm.register(form).encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def fake_gcm(service: PushService, folder: Path) -> Iterator[FakeGcm]:
    """Run the server for one browser."""
    folder.mkdir(parents=True)
    gcm = FakeGcm(service)
    service.audience, service.forward = ORIGIN, gcm.push
    context = certify(folder, "localhost")
    gcm.pin = _pin(folder / "server.pem")
    admin = type("Bound", (_Endpoints,), {"gcm": gcm})
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), admin) as http,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        http.daemon_threads = True
        gcm.http_port, gcm.mcs_port = http.server_address[1], listening.getsockname()[1]
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        threading.Thread(target=_accept, args=(gcm, listening, context), daemon=True).start()
        yield gcm
        http.shutdown()


def _accept(gcm: FakeGcm, listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(gcm, plain, context), daemon=True).start()


def _serve(gcm: FakeGcm, plain: socket.socket, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as wire:
        try:
            gcm.talk(wire)
        finally:
            with gcm.connected:
                gcm.wire = None if gcm.wire is wire else gcm.wire


def _pin(pem: Path) -> str:
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(public).digest()).decode()
