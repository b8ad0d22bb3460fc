"""Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document).

Owns: which URLs can be a client_id, what a document may contain, which of its redirect URIs are
used, and how long a copy is fresh. Never: fetching documents.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from server.protocol import errors, json_text, names
from server.protocol.clients import jwks
from server.protocol.clients.jwks import PublicKey
from server.protocol.clients.redirects import redirect_problem
from server.protocol.clients.registration import (
    DEFAULT_ID_TOKEN_ALG,
    DPOP_BOUND,
    REQUIRES_PAR,
    app_problem,
    unsupported_problem,
)
from server.protocol.json_text import JsonValue

UnknownClients = Literal["never", "list", "ask"]

MAX_BYTES: Final = 5 * 1024
MAX_KEY_BYTES: Final = 64 * 1024
MAX_REDIRECTS: Final = 20
MAX_URL_LENGTH: Final = 256
MAX_HOST_LENGTH: Final = 56
"""The client's name begins with the host and may have at most 64 characters."""
MAX_NAME_LENGTH: Final = 100
MIN_FRESH_MS: Final = 60 * 1000
MAX_FRESH_MS: Final = 24 * 60 * 60 * 1000
DEFAULT_FRESH_MS: Final = 60 * 60 * 1000
MAX_STALE_MS: Final = MAX_FRESH_MS
"""How long a copy can still be used if its host does not answer."""
_AUTH_METHODS: Final = ("none", "private_key_jwt")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_LAST_LABEL = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?@!$&'()*+,;=%-]+")
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=\"?(\d{1,9})")
_NO_CACHE = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b")


class InvalidDocument(ValueError):
    """A document or its URL is invalid. The message says what to change and does not quote it."""


@dataclass(frozen=True, slots=True)
class ClientDocument:
    """The metadata of a client in its document."""

    url: str
    claimed_name: str | None
    redirect_uris: tuple[str, ...]
    auth_method: str
    keys: tuple[PublicKey, ...]
    keys_url: str | None
    """The URL of its keys, if they are not in the document."""
    id_token_alg: str
    grant_types: tuple[str, ...]
    dpop_bound: bool
    requires_par: bool


def host_of(url: str) -> str:
    """Return the host of a client_id or redirect URI."""
    return urlsplit(url).hostname or ""


def url_problem(url: str, *, development: bool) -> str:
    """Return why a URL cannot be a client_id; "" if it can.

    In development, the URL may be on this machine.
    """
    if len(url) > MAX_URL_LENGTH or not _CHARACTERS.fullmatch(url):
        return f"must be a URL of at most {MAX_URL_LENGTH} characters, without a fragment"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "must be a URL"
    if parts.scheme != "https" or not url.startswith(names.DOCUMENT_URL):
        return "must begin with https://"
    if not parts.path.startswith("/"):
        return "must have a path"
    if any(unquote(segment) in {".", ".."} for segment in parts.path.split("/")):
        return "must not contain the path segments . or .."
    return _host_problem(parts.netloc, host, development=development)


def _host_problem(netloc: str, host: str, *, development: bool) -> str:
    if "@" in netloc:
        return "must not contain a user name"
    if netloc != netloc.lower():
        return "must have a host name in lower case"
    if development and host in names.LOOPBACK:
        return ""
    if not _HOST.fullmatch(host) or not _LAST_LABEL.fullmatch(host.rpartition(".")[2]):
        return "must have a fully qualified host name"
    if len(host) > MAX_HOST_LENGTH:
        return f"must have a host name of up to {MAX_HOST_LENGTH} characters"
    return ""


def policy_problem(
    host: str, policy: UnknownClients, allowed: Collection[str], blocked: Collection[str]
) -> str:
    """Return why the settings refuse the clients of a host; "" if they do not.

    A blocked host also blocks its subdomains. An allowed host does not include its subdomains.
    """
    if policy == "never":
        return "Only registered clients are allowed here."
    if any(host == suffix or host.endswith(f".{suffix}") for suffix in blocked):
        return "Clients on this host are blocked here."
    if policy == "list" and host not in allowed:
        return "Clients on this host are not allowed here. An administrator can allow the host."
    return ""


def read(url: str, body: bytes, media_type: str) -> ClientDocument:
    """Parse the document of a URL. Raises `InvalidDocument`."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not re.fullmatch(r"application/[\w.-]+\+json", kind):
        raise InvalidDocument("its media type must be application/json")
    members = _read_members(body, MAX_BYTES)
    if members.get("client_id") != url:
        raise InvalidDocument("its client_id must be the URL of the document")
    for name in ("client_secret", "client_secret_expires_at"):
        if name in members:
            raise InvalidDocument(f"it must not have {name}, because everyone can read it")
    if problem := unsupported_problem(members):
        raise InvalidDocument(problem)
    method = members.get("token_endpoint_auth_method", names.AUTH_NONE)
    if method not in _AUTH_METHODS:
        raise InvalidDocument("token_endpoint_auth_method must be none or private_key_jwt")
    if problem := app_problem(members):
        raise InvalidDocument(problem)
    keys, keys_url = _find_keys(members) if method == "private_key_jwt" else ((), None)
    return ClientDocument(
        url=url,
        claimed_name=claimed_name(members.get("client_name")),
        redirect_uris=_redirect_uris(members.get("redirect_uris")),
        auth_method=str(method),
        keys=keys,
        keys_url=keys_url,
        id_token_alg=str(members.get("id_token_signed_response_alg", DEFAULT_ID_TOKEN_ALG)),
        grant_types=usual_grants(members.get("grant_types")),
        dpop_bound=bool(members.get(DPOP_BOUND)),
        requires_par=bool(members.get(REQUIRES_PAR)),
    )


def read_keys(body: bytes) -> tuple[PublicKey, ...]:
    """Parse the keys of a client's `jwks_uri`. Raises `InvalidDocument`."""
    return _read_keys(_read_members(body, MAX_KEY_BYTES))


def usual_grants(declared: JsonValue) -> tuple[str, ...]:
    """Return the grant types of a self-described app, which may decline refresh tokens."""
    if isinstance(declared, list) and names.GRANT_REFRESH_TOKEN not in declared:
        return (names.GRANT_AUTHORIZATION_CODE,)
    return names.USUAL_APP_GRANTS


def claimed_name(value: JsonValue) -> str | None:
    """Return the name that a client gives itself, truncated; None if it has none."""
    return value[:MAX_NAME_LENGTH] if isinstance(value, str) and value else None


def usable_redirects(document: ClientDocument, allowed: Collection[str]) -> tuple[str, ...]:
    """Return the redirect URIs to which codes for this client may be sent.

    They are on the client's own host, on an allowed host, or in an app on the person's
    machine. A document must not be able to send codes to any other host.
    """
    own_host = host_of(document.url)
    return tuple(
        uri
        for uri in document.redirect_uris
        if not uri.startswith("https:") or host_of(uri) == own_host or host_of(uri) in allowed
    )


def fresh_until(headers: Mapping[str, str], now: int) -> int:
    """Return when a copy stops being fresh: as its headers say, within limits (RFC 9111 4.2)."""
    control = headers.get("cache-control", "").lower()
    max_age = _MAX_AGE.search(control)
    lifetime = DEFAULT_FRESH_MS if max_age is None else int(max_age[1]) * 1000
    age = headers.get("age", "0")
    lifetime -= int(age) * 1000 if age.isascii() and age.isdigit() else 0
    if _NO_CACHE.search(control):
        lifetime = 0
    return now + min(max(lifetime, MIN_FRESH_MS), MAX_FRESH_MS)


def _read_members(body: bytes, max_bytes: int) -> Mapping[str, JsonValue]:
    try:
        members = json_text.parse(body, max_bytes=max_bytes, what="It", shows_names=False)
    except errors.InvalidRequest as error:
        raise InvalidDocument(f"it is not valid JSON of at most {max_bytes} bytes") from error
    if not isinstance(members, dict):
        raise InvalidDocument("it must be a JSON object")
    return {name: value for name, value in members.items() if value is not None}


def _redirect_uris(value: JsonValue) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_REDIRECTS:
        raise InvalidDocument(f"redirect_uris must be a list of 1 to {MAX_REDIRECTS} URIs")
    uris = [uri for uri in value if isinstance(uri, str)]
    if len(uris) != len(value) or any(map(redirect_problem, uris)):
        raise InvalidDocument(
            "each URI in redirect_uris must use https, a loopback host or an app's own scheme"
        )
    return tuple(dict.fromkeys(uris))


def _find_keys(members: Mapping[str, JsonValue]) -> tuple[tuple[PublicKey, ...], str | None]:
    key_set, url = members.get("jwks"), members.get("jwks_uri")
    if (key_set is None) == (url is None):
        raise InvalidDocument("private_key_jwt needs either jwks or jwks_uri")
    if key_set is not None:
        return _read_keys(key_set), None
    if not isinstance(url, str) or not url.startswith(names.DOCUMENT_URL):
        raise InvalidDocument("jwks_uri must begin with https://")
    return (), url


def _read_keys(document: JsonValue | Mapping[str, JsonValue]) -> tuple[PublicKey, ...]:
    try:
        return jwks.read_keys(document)  # type: ignore[arg-type]  # a mapping is a dict
    except ValueError as error:
        raise InvalidDocument("its keys must be public keys of a supported type") from error
