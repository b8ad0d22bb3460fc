"""The public keys of Sayso: fetched once, cached for minutes, fetched again for an unknown key.

Owns: which key verifies a token, and when keys are fetched. Never: the claims of a token.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import jwt

from sayso.errors import Refused, Unreachable
from sayso.issuer import Issuer
from sayso.transport import Flow, Send, Sleep

MAX_AGE: Final = 300.0
"""Seconds after which keys are fetched again, so that a revoked key is no longer accepted."""
MIN_PAUSE: Final = 10.0
"""Seconds between two fetches, however many tokens name unknown keys."""
LONGEST: Final = 3_600.0
"""The number of seconds for which keys are accepted while the server cannot be reached."""
_AFTER_FAILURE: Final = 1.0
_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key and its only algorithm."""

    key: Any
    alg: str


class Jwks:
    """The keys of one issuer."""

    def __init__(self, issuer: Issuer, algorithms: frozenset[str]) -> None:
        self._issuer = issuer
        self._algorithms = algorithms
        self._keys: Mapping[str, PublicKey] = {}
        self._fetched_at = -LONGEST
        self._next_fetch_at = 0.0
        """When keys may be fetched again."""
        self._refused: Refused | None = None
        """Why the last fetch failed; None if the server was unreachable."""
        self._fetching = Lock()

    def ready(self, kid: str) -> PublicKey | None:
        """Return the key if it is cached and fresh. This is only a dict lookup."""
        return self._keys.get(kid) if time.monotonic() - self._fetched_at < MAX_AGE else None

    def find(self, kid: str) -> Flow[PublicKey | None]:
        """Return the key; fetch all keys if they are old or lack this one. Raises SaysoError."""
        while not self._fetching.acquire(blocking=False):
            yield Sleep(_POLL_SECONDS)  # one fetch is enough for all waiting calls
        try:
            now = time.monotonic()
            if self.ready(kid) is None and now >= self._next_fetch_at:
                self._next_fetch_at = now + (
                    MIN_PAUSE if (yield from self._fetch(now)) else _AFTER_FAILURE
                )
        finally:
            self._fetching.release()
        if time.monotonic() - self._fetched_at >= LONGEST:
            raise self._refused or Unreachable(
                "The keys of the authorization server could not be fetched."
            )
        return self._keys.get(kid)

    def _fetch(self, now: float) -> Flow[bool]:
        try:
            url = yield from self._issuer.endpoint("jwks_uri")
            reply = yield Send("GET", url)
        except Unreachable:
            self._refused = None
            return False
        except Refused as error:
            self._refused = error
            return False
        keys = reply.body.get("keys")
        if reply.status != 200 or not isinstance(keys, list):  # noqa: PLR2004  # OK
            return False
        parsed_keys = (self._read(key) for key in keys if isinstance(key, dict))
        self._keys = dict(entry for entry in parsed_keys if entry is not None)
        self._fetched_at = now
        return True

    def _read(self, jwk: Mapping[str, Any]) -> tuple[str, PublicKey] | None:
        """Return the key if it is for signatures with one of our algorithms, else None."""
        kid, alg = jwk.get("kid"), jwk.get("alg")
        if not isinstance(kid, str) or alg not in self._algorithms:
            return None
        if jwk.get("use", "sig") != "sig":
            return None
        try:
            return kid, PublicKey(jwt.PyJWK(dict(jwk)).key, alg)
        except (jwt.PyJWTError, ValueError, KeyError):
            return None
