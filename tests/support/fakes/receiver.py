"""A real HTTP server on the loopback whose behavior a test sets, and which records requests."""

import contextlib
import datetime as dt
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

Behavior = Callable[["Handler"], None]


@dataclass(frozen=True, slots=True)
class Received:
    """A recorded request."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(slots=True)
class Receiver:
    """The receiver of a webhook. A test may change `behavior` at any time."""

    port: int = 0
    behavior: Behavior = field(default_factory=lambda: answer(200))
    got: list[Received] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, host: str = "127.0.0.1") -> str:
        """Return the URL of the hook."""
        return f"http://{host}:{self.port}/hook"


class Handler(BaseHTTPRequestHandler):
    """Records the request, then calls the behavior."""

    receiver: Receiver

    def do_GET(self) -> None:
        """Handle a request without a body."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Handle a request with a body."""
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _serve(self, body: bytes) -> None:
        behave = self.receiver.behavior  # a test that sees this call may change it for the next one
        self.receiver.got.append(Received(self.command, self.path, self.headers, body))
        with contextlib.suppress(OSError):
            behave(self)


def answer(status: int, body: bytes = b"", **headers: str) -> Behavior:
    """Return a behavior that answers with this status."""

    def behave(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def hang(handler: Handler) -> None:
    """Never answer."""
    handler.receiver.over.wait(60)


def drip(handler: Handler) -> None:
    """Answer 200 with an endless body, one byte at a time."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.receiver.over.is_set():
        handler.wfile.write(b".")
        handler.wfile.flush()
        time.sleep(0.05)


def drip_head(handler: Handler) -> None:
    """Answer with an endless header, one byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    while not handler.receiver.over.is_set():
        handler.wfile.write(b".")
        handler.wfile.flush()
        time.sleep(0.05)


def flood(handler: Handler) -> None:
    """Answer 200 with an endless body."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.receiver.over.is_set():
        handler.wfile.write(b"." * 65_536)


_CA_KEY_USAGE = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)
"""Python 3.13 refuses a CA certificate without it (RFC 5280, section 4.2.1.3)."""


def certify(folder: Path, name: str) -> ssl.SSLContext:
    """Make a certificate for this name, signed by a new authority whose certificate is `ca.pem`."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    ca_certificate = _certificate("an authority", keys[0], "an authority", keys[0], ca=True)
    certificate = _certificate(name, keys[1], "an authority", keys[0], ca=False)
    (folder / "ca.pem").write_bytes(ca_certificate.public_bytes(Encoding.PEM))
    key = keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(key + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    by: str,
    by_key: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, by)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            _CA_KEY_USAGE if ca else x509.SubjectAlternativeName([x509.DNSName(name)]),
            critical=ca,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()), critical=False
        )
    )
    return builder.sign(by_key, hashes.SHA256())


@contextlib.contextmanager
def receiver(tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Receiver]:
    """Run a receiver that answers 200 until a test changes its behavior."""
    state = Receiver()
    handler = type("Bound", (Handler,), {"receiver": state})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield state
        state.over.set()
        server.shutdown()
        thread.join(5)
