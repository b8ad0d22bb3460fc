"""Redirect URIs: exact match, except for the port of a loopback address.

A browser is redirected only to a registered URI (RFC 9700 4.1.3). Only the port of a native app on
a loopback address may differ (RFC 8252 7.3).
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlencode, urlsplit

from server.protocol.names import LOOPBACK

_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]{1,1000}")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
"""A native app's own scheme is a reversed domain name (RFC 8252 7.1), so it has a dot."""
KNOWN_SCHEMES: Final = frozenset({"cursor", "vscode", "vscode-insiders"})
"""Schemes of well-known apps that are not reversed domain names. No others are allowed."""


def redirect_problem(uri: str) -> str:
    """Return what is wrong with a redirect URI; "" if it is valid."""
    if not _CHARACTERS.fullmatch(uri) or "*" in uri:
        return "must be an absolute URI without a fragment or a wildcard"
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "must be an absolute URI"
    is_private = _PRIVATE_SCHEME.fullmatch(parts.scheme) and not parts.netloc
    if is_private or (parts.scheme in KNOWN_SCHEMES and host and "@" not in parts.netloc):
        return ""
    if parts.scheme not in {"https", "http"} or not host or "@" in parts.netloc:
        return "must be https, or an app's own scheme such as com.example.app:/callback"
    if parts.scheme == "http" and host not in LOOPBACK:
        return "must be https (http is allowed only for this machine)"
    return ""


def is_registered(uri: str, registered: Iterable[str]) -> bool:
    """Return whether this URI is registered: exactly, or as a loopback URI with another port."""
    return any(
        uri == registered_uri or _differs_only_in_port(uri, registered_uri)
        for registered_uri in registered
    )


def with_parameters(uri: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Return the URI with these query parameters added (RFC 6749 4.1.2)."""
    separator = "&" if "?" in uri else "?"
    return f"{uri}{separator}{urlencode(list(parameters))}"


def host_of(uri: str) -> str:
    """Return how people see a URI: as its host, or as the app with its scheme."""
    parts = urlsplit(uri)
    is_web = parts.scheme in {"https", "http"}
    return (parts.hostname if is_web else None) or f"the app {parts.scheme}"


def is_local(uri: str) -> bool:
    """Return whether a URI leads to an app on the person's own machine."""
    parts = urlsplit(uri)
    return parts.scheme != "https" or parts.hostname in LOOPBACK


def form_source(uri: str) -> str:
    """Return the `form-action` source that allows a form to redirect to a URI (CSP 3)."""
    parts = urlsplit(uri)
    if parts.scheme not in {"https", "http"} or ":" in (parts.hostname or ""):
        return f"{parts.scheme}:"  # sources cannot name IPv6 addresses or bare paths
    return f"{parts.scheme}://{parts.netloc}"


def _differs_only_in_port(uri: str, registered: str) -> bool:
    if redirect_problem(uri):
        return False
    registered_parts, parts = urlsplit(registered), urlsplit(uri)
    if registered_parts.scheme != "http" or registered_parts.hostname not in LOOPBACK:
        return False
    return _without_port(registered_parts) == _without_port(parts)


def _without_port(parts: SplitResult) -> tuple[str, str | None, str, str]:
    return parts.scheme, parts.hostname, parts.path, parts.query
