"""Ports of the services: clock, keys, secrets. Adapters must follow each MUST in the docstrings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from server.model.devices import CreatedPasskey, Passkey
    from server.model.tokens import SigningKey
    from server.protocol.devices.passkeys import Assertion


class Clock(Protocol):
    """The time. Only `app.py` uses the real clock."""

    def now(self) -> int:
        """Milliseconds since the epoch."""

    def adjust(self, moment: int) -> int:
        """Return this clock's time at the database's `moment`; the real clock returns `moment`."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A response from another host. Header names are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Unreachable(Exception):
    """There was no response. `retry` says whether a later attempt may succeed."""

    def __init__(self, why: str, *, retry: bool) -> None:
        super().__init__(why)
        self.retry = retry


class Fetch(Protocol):
    """GET from a public https URL: no redirects, no private addresses, limits of size and time."""

    def __call__(self, url: str, max_bytes: int) -> Fetched:
        """Read at most `max_bytes`. Raises `Unreachable`."""


class Wake(Protocol):
    """Signals that something may have changed. It carries no data: receivers read the database."""

    def notify(self) -> None: ...
    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; return whether something may have changed."""


class Signer(Protocol):
    """Signs JWTs with our keys. It never returns a private key."""

    def sign(
        self, keys: "Sequence[SigningKey]", alg: str, typ: str, claims: Mapping[str, object]
    ) -> str: ...
    def new_key(self, alg: str, now: int) -> "SigningKey": ...


class Verifier(Protocol):
    """Verifies clients' and our own signatures. Raises `BadToken` with a reason for the log."""

    def client_assertion(
        self, token: str, jwks: Sequence[Mapping[str, str]]
    ) -> tuple[str, Mapping[str, object]]:
        """Return the `kid` of the key that signed it, and the claims."""

    def request_object(
        self, token: str, jwks: Sequence[Mapping[str, str]]
    ) -> tuple[str, str, Mapping[str, object]]:
        """Return the `kid` and algorithm of the key that signed this request, and its claims."""

    def own_token(
        self, token: str, typ: str, keys: "Sequence[SigningKey]"
    ) -> Mapping[str, object]: ...
    def dpop(self, token: str) -> tuple[Mapping[str, str], Mapping[str, object]]:
        """Return the key inside the proof, and the claims that it signed."""

    def verify_signed_payload(self, jws: str, typ: str, jwk: Mapping[str, str], kid: str) -> bytes:
        """Return the payload bytes of a decision or statement."""

    def key_of(self, jws: str) -> str:
        """Return the key thumbprint that a decision or statement names."""

    def unverified_subject(self, token: str) -> str:
        """Return the unverified subject of an assertion, to find the key that verifies it."""


class Authenticators(Protocol):
    """Verifies passkeys for this site. Raises `BadToken` with a reason for the log.

    The authenticator MUST have verified the user, not only their presence.
    """

    def verify_registration(
        self, attestation: bytes, client_data: bytes, challenge: bytes
    ) -> "CreatedPasskey":
        """Return the passkey that was created for this challenge."""

    def verify_assertion(self, assertion: "Assertion", passkey: "Passkey") -> int:
        """Return the new signature counter of the passkey if it signed this payload."""

    def public_jwk(self, passkey: "Passkey") -> Mapping[str, str]:
        """Return its public key, to verify its signatures."""


class PasswordHasher(Protocol):
    """Password hashing, which is slow on purpose. It MUST NOT block other requests.

    Never call it inside a unit of work. Raises `Busy` when too many calls are waiting.
    """

    def hash(self, password: str) -> str: ...
    def verify(self, password: str, hashed: str | None) -> bool:
        """Return whether this is the password; if `hashed` is None it MUST take equally long."""


class UnusableKey(Exception):
    """A private key cannot be read, or belongs to another installation."""


class BadToken(Exception):
    """A signed token or statement is invalid. The message is for the log."""


class BadClaims(BadToken):
    """The signature is valid, but the claims are not. The message is for the signer."""


class Secrets(Protocol):
    """Random values, and the keys that are never stored in the database."""

    def new_id(self, prefix: str) -> str: ...
    def new_secret(self, prefix: str) -> str: ...
    def new_code(self) -> tuple[str, str]:
        """Return an enrollment code: public ID and secret, both upper-case Crockford base32."""

    def random_string(self, alphabet: str, length: int) -> str:
        """Return random letters of an alphabet, for people to type."""

    def salt(self) -> str:
        """Return 128 random bits."""

    def auth_req_id(self, approval_id: str) -> str:
        """Return the agent's handle for this approval. It is recomputed, not stored."""

    def code_hash(self, code_id: str, secret: str) -> bytes: ...
    def user_code_hash(self, user_id: str, code: str) -> bytes: ...
    def nonce(self, *parts: str) -> str:
        """Return the nonce that a device must sign for these parts. A restore changes it."""

    def keyed_hash(self, *parts: str) -> str:
        """Return the hash stored instead of these parts. A restore does not change it."""

    def pin_answer(self, device_id: str, epoch: int, x: bytes) -> bytes: ...
    def seal(self, purpose: str, plaintext: bytes) -> bytes: ...
    def open(self, purpose: str, sealed: bytes) -> bytes: ...
