"""A push service on the loopback that checks every message (RFC 8030, 8188, 8291, 8292).

Owns: subscriptions whose private key the test holds, and an independent implementation of the
format: it does not use the library that the server sends with. A test may change `behavior` at any
time.
"""

import base64
import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Behavior = Callable[["Handler"], None]
_MAX_BYTES = 4096
_DAY = 24 * 60 * 60


def encoded(raw: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return the bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(slots=True)
class Minted:
    """A subscription without a browser; the test has its keys."""

    endpoint: str
    private: ec.EllipticCurvePrivateKey
    auth: bytes

    def to_json(self) -> dict[str, Any]:
        """Return what `PushSubscription.toJSON()` returns in a browser."""
        point = _point(self.private.public_key())
        keys = {"p256dh": encoded(point), "auth": encoded(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that the push service accepted."""

    token: str
    ttl: int
    urgency: str
    topic: str
    subject: str
    """The contact of the sender (`sub` of its VAPID token)."""
    body: bytes
    message: dict[str, Any] | None
    """The decrypted message, if the subscription was minted here."""


@dataclass(slots=True)
class PushService:
    """The state of the push service, and what it received."""

    port: int = 0
    behavior: Behavior | None = None
    """The function to call instead of checking and accepting the message."""
    known: dict[str, Minted | None] = field(default_factory=dict)
    """Token → the minted subscription, or None if it belongs to a browser."""
    keys: dict[str, str] = field(default_factory=dict)
    """Token → the sender's public key, if the subscription is bound to one (RFC 8292 4)."""
    taken: list[Delivered] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    forward: Callable[[str, bytes, dict[str, str]], None] | None = None
    """Forwards a message to a browser."""
    audience: str = ""
    """The origin that senders must name; if empty, the origin of this service."""

    @property
    def origin(self) -> str:
        """Return the origin of this service."""
        return f"http://127.0.0.1:{self.port}"

    def mint(self, key: str = "") -> Minted:
        """Create a subscription, bound to this public key of a sender, if any."""
        private = ec.generate_private_key(ec.SECP256R1())
        token = encoded(hashlib.sha256(_point(private.public_key())).digest())
        minted = Minted(f"{self.origin}/push/{token}", private, token.encode()[:16])
        self.known[token] = minted
        if key:
            self.keys[token] = key
        return minted

    def messages(self) -> list[dict[str, Any]]:
        """Return the decrypted messages."""
        return [each.message for each in self.taken if each.message is not None]


class Handler(BaseHTTPRequestHandler):
    """Receives one message."""

    service: PushService

    def do_POST(self) -> None:
        """Receive a message (RFC 8030 5), and forward it to the browser after the response.

        A browser that is slow to connect must not delay the response: the sender would try again,
        and not before its clock has moved, which stands still in most tests.
        """
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with contextlib.suppress(OSError):
            if self.service.behavior is not None:
                self.service.behavior(self)
            else:
                taken = self._take(body)
                if isinstance(taken, Delivered):
                    self.say(201)
                    self._forward(taken)
                else:
                    self.say(*taken)

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def say(self, status: int, words: str = "", **headers: str) -> None:
        """Send this response."""
        if status >= 400:
            self.service.refused.append(f"{status} {words}")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        self.wfile.write(words.encode())

    def _forward(self, delivered: Delivered) -> None:
        if self.service.forward is not None and delivered.message is None:
            headers = {"encoding": "aes128gcm", "ttl": str(delivered.ttl)}
            self.service.forward(delivered.token, delivered.body, headers)

    def _take(self, body: bytes) -> Delivered | tuple[int, str]:
        """Check the message; return it, or the status and text of the refusal."""
        token = self.path.rpartition("/")[2]
        if token not in self.service.known:
            return 410, "gone"
        try:
            subject = check_vapid(
                self.headers,
                self.service.audience or self.service.origin,
                self.service.keys.get(token),
            )
        except (ValueError, KeyError, jwt.InvalidTokenError) as error:
            return 403, f"vapid: {error!r}"
        try:
            delivered = _read(token, self.headers, body, subject, self.service.known[token])
        except ValueError as error:
            return 400, str(error)
        self.service.taken.append(delivered)
        return delivered


def check_vapid(headers: Message, origin: str, bound: str | None) -> str:
    """Check the VAPID token: audience, key and expiry (RFC 8292 2); return the sender's contact."""
    scheme, _, rest = headers["Authorization"].partition(" ")
    if scheme != "vapid":
        raise ValueError(f"scheme {scheme}")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    if bound is not None and parts["k"] != bound:
        raise ValueError("another key than that of the subscription")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(parts["k"]))
    claims = jwt.decode(parts["t"], public, algorithms=["ES256"], audience=origin)
    if claims["exp"] > time.time() + _DAY:
        raise ValueError("exp is more than a day away")
    subject: str = claims["sub"]
    if not subject.startswith(("mailto:", "https://")):
        raise ValueError(f"sub {subject}")
    return subject


def _read(
    token: str, headers: Message, body: bytes, subject: str, minted: Minted | None
) -> Delivered:
    topic, urgency = headers["Topic"] or "", headers["Urgency"] or ""
    if headers["Content-Encoding"] != "aes128gcm":
        raise ValueError("Content-Encoding must be aes128gcm (RFC 8291 4)")
    if not (headers["TTL"] or "").isdecimal():
        raise ValueError("TTL must be there (RFC 8030 5.2)")
    if urgency not in {"very-low", "low", "normal", "high"}:
        raise ValueError("Urgency (RFC 8030 5.3)")
    if len(topic) > 32 or not topic or encoded(decoded(topic[:32])) != topic:
        raise ValueError("Topic (RFC 8030 5.4)")
    if len(body) > _MAX_BYTES:
        raise ValueError("more than 4096 bytes")
    message = None if minted is None else json.loads(decrypt(body, minted.private, minted.auth))
    return Delivered(token, int(headers["TTL"]), urgency, topic, subject, body, message)


def decrypt(body: bytes, private: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """Decrypt a message of one record and remove its padding (RFC 8291 3.4, RFC 8188 2)."""
    salt, size, id_length = body[:16], int.from_bytes(body[16:20]), body[20]
    sender_point, record = body[21 : 21 + id_length], body[21 + id_length :]
    if len(record) > size:
        raise ValueError("more than one record (RFC 8291 4)")
    sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender_point)
    shared = private.exchange(ec.ECDH(), sender)
    info = b"WebPush: info\0" + _point(private.public_key()) + sender_point
    secret = _derived(auth, shared, info, 32)
    key = _derived(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(salt, secret, b"Content-Encoding: nonce\0", 12)
    text = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
    if not text.endswith(b"\x02"):
        raise ValueError("the last record must end with 2 (RFC 8188 2)")
    return text[:-1]


def encrypt(text: bytes, p256dh: bytes, auth: bytes) -> bytes:
    """Encrypt a text for a browser with these keys (RFC 8291 3.4 and RFC 8188 2)."""
    private, salt = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
    point = _point(private.public_key())
    browser = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    shared = private.exchange(ec.ECDH(), browser)
    secret = _derived(auth, shared, b"WebPush: info\0" + p256dh + point, 32)
    key = _derived(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(salt, secret, b"Content-Encoding: nonce\0", 12)
    record = AESGCM(key).encrypt(nonce, text + b"\x02", None)
    return salt + _MAX_BYTES.to_bytes(4) + bytes([len(point)]) + point + record


def _derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def _point(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def answer(status: int, words: str = "", **headers: str) -> Behavior:
    """Return a behavior that answers every message like this."""
    return lambda handler: handler.say(status, words, **headers)


def hang(handler: Handler) -> None:
    """Never answer."""
    handler.service.over.wait(60)


def flood(handler: Handler) -> None:
    """Accept the message, and send an endless response."""
    handler.send_response(201)
    handler.end_headers()
    while not handler.service.over.is_set():
        handler.wfile.write(b"." * 65_536)


@contextlib.contextmanager
def push_service(port: int = 0) -> Iterator[PushService]:
    """Run a push service that accepts valid messages."""
    state = PushService()
    handler = type("Bound", (Handler,), {"service": state})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield state
        state.over.set()
        server.shutdown()
        thread.join(5)
