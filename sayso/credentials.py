"""How an agent or an API proves who it is to Sayso (RFC 6749 2.3.1, RFC 7523).

Owns: the header or parameters of one call. Never: which call it is.
"""

import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote_plus

from sayso import clock
from sayso.keys import KeySource, SigningKey, read_key

_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Credentials:
    """A client ID with a secret (`client_secret_basic`) or a key (`private_key_jwt`)."""

    client_id: str
    secret: str | None = field(repr=False)
    key: SigningKey | None

    @staticmethod
    def create(client_id: str, secret: str | None, key: KeySource | None) -> "Credentials":
        """Check and read credentials. Raises ValueError."""
        if not client_id:
            raise ValueError("client_id is missing: `sayso agents add` prints it.")
        if (secret is None) == (key is None):
            raise ValueError("Pass either secret= or key=, as registered with `sayso agents add`.")
        if secret == "":
            raise ValueError("secret is empty. Check that its environment variable is set.")
        if secret is not None and secret != secret.strip():
            raise ValueError("secret begins or ends with white space. Remove it.")
        return Credentials(client_id, secret, None if key is None else read_key(key))

    def proof(self, issuer: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Return the headers and form parameters of one call. Each call has a new assertion."""
        if self.key is None:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret or '')}"
            return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}, {}
        issued = clock.now()
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": issuer,
            "iat": issued,
            "exp": issued + _ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(24),
        }
        return {}, {
            "client_id": self.client_id,
            "client_assertion_type": _ASSERTION,
            "client_assertion": self.key.sign(claims),
        }

    def seed(self) -> bytes:
        """Return bytes that only the holder of these credentials has."""
        secret_bytes = (self.secret or "").encode() if self.key is None else self.key.seed()
        return self.client_id.encode() + b"\n" + secret_bytes
