"""The authorization server: its URL, the endpoints that it names (RFC 8414), and its public keys.

Endpoints are discovered once. Keys are cached for minutes, and fetched again for an unknown key.

Owns: the check of the issuer's URL, discovery, and which key verifies a token. Never: calls to the
endpoints, or the claims of a token.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import jwt

from sayso.errors import Refused, Unreachable, from_answer
from sayso.transport import Flow, Send, Sleep

_WELL_KNOWN: Final = "/.well-known/oauth-authorization-server"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_MAX_KEY_AGE: Final = 300.0
"""Seconds after which keys are fetched again, so that a revoked key is no longer accepted."""
_MIN_FETCH_PAUSE: Final = 10.0
"""The minimum number of seconds between two fetches."""
_MAX_STALE_KEY_AGE: Final = 3_600.0
"""The number of seconds for which keys are accepted while the server cannot be reached."""
_FAILURE_PAUSE: Final = 1.0
_POLL_SECONDS: Final = 0.02


class Issuer:
    """A Sayso server, identified by the exact issuer URL in its metadata."""

    def __init__(self, url: str) -> None:
        parts = split_url("issuer", url)
        if not is_secure(url):
            raise ValueError(
                f"issuer must be an https URL (http only on localhost), not {url!r}. "
                "Use the URL that `sayso serve` prints when it starts."
            )
        if parts.query or parts.fragment or url.endswith("/"):
            raise ValueError(
                f"issuer must not have a query, a fragment or a trailing slash: {url!r}."
            )
        self.url = url
        self._metadata: Mapping[str, Any] | None = None

    def endpoint(self, name: str) -> Flow[str]:
        """Return the URL of an endpoint by its name in the metadata, such as `token_endpoint`."""
        if self._metadata is None:
            self._metadata = yield from self._discover()
        url = self._metadata.get(name)
        if not isinstance(url, str) or not is_secure(url):
            raise Refused(
                "invalid_metadata", f"The metadata of {self.url} has no usable {name}.", {}
            )
        return url

    def _discover(self) -> Flow[Mapping[str, Any]]:
        parts = urlsplit(self.url)
        reply = yield Send("GET", f"{parts.scheme}://{parts.netloc}{_WELL_KNOWN}{parts.path}")
        if reply.status >= 500:  # noqa: PLR2004  # such as a proxy while the server restarts
            raise from_answer(reply.status, {})
        named_issuer = reply.body.get("issuer")
        if reply.status != 200 or not isinstance(named_issuer, str):  # noqa: PLR2004  # OK
            raise Refused(
                "invalid_metadata",
                f"{self.url} has no authorization server metadata (status {reply.status}). "
                "Check the issuer.",
                {},
            )
        if named_issuer != self.url:
            raise Refused(
                "invalid_metadata",
                f"The server at {self.url} has the issuer {named_issuer}. Use that issuer.",
                {},
            )
        return reply.body


def split_url(name: str, url: str) -> SplitResult:
    """Return the parts of a URL. Raises ValueError, with `name`, if the host or port is invalid."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"{name} is not a valid URL: {url!r}. {error}.") from error
    return parts


def is_secure(url: str) -> bool:
    """Return whether this is an https URL, or an http URL on this machine."""
    try:
        parts = split_url("url", url)
    except ValueError:
        return False
    if parts.scheme == "http":
        return parts.hostname in _LOOPBACK
    return parts.scheme == "https" and bool(parts.hostname)


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
        self._fetched_at = -_MAX_STALE_KEY_AGE
        self._next_fetch_at = 0.0
        """When keys may be fetched again."""
        self._error: Refused | Unreachable | None = None
        """Why the last fetch failed."""
        self._fetching = Lock()

    def ready(self, kid: str) -> PublicKey | None:
        """Return the key if it is cached and fresh. This is only a dict lookup."""
        return self._keys.get(kid) if time.monotonic() - self._fetched_at < _MAX_KEY_AGE else None

    def find(self, kid: str) -> Flow[PublicKey | None]:
        """Return the key; fetch all keys if they are old or lack this one. Raises SaysoError."""
        while not self._fetching.acquire(blocking=False):
            yield Sleep(_POLL_SECONDS)  # one fetch is enough for all waiting calls
        try:
            now = time.monotonic()
            if self.ready(kid) is None and now >= self._next_fetch_at:
                self._next_fetch_at = now + (
                    _MIN_FETCH_PAUSE if (yield from self._fetch(now)) else _FAILURE_PAUSE
                )
        finally:
            self._fetching.release()
        if time.monotonic() - self._fetched_at >= _MAX_STALE_KEY_AGE:
            raise self._error or Unreachable("The keys have not been fetched.")
        return self._keys.get(kid)

    def _fetch(self, now: float) -> Flow[bool]:
        try:
            url = yield from self._issuer.endpoint("jwks_uri")
            reply = yield Send("GET", url)
        except (Unreachable, Refused) as error:
            self._error = error
            return False
        keys = reply.body.get("keys")
        if reply.status != 200 or not isinstance(keys, list):  # noqa: PLR2004  # OK
            self._error = Unreachable(f"{url} answered with status {reply.status} and no keys.")
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
