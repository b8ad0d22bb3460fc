"""Resource indicators: which URIs can identify a resource (RFC 8707 2)."""

import re
from collections.abc import Sequence
from posixpath import normpath
from urllib.parse import SplitResult, unquote, urlsplit

from server.protocol import errors
from server.protocol.names import LOOPBACK

_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]{1,2000}")
_MAX_CALLBACK_LENGTH = 1000
_PORTS = {"http": 80, "https": 443}


def check_resource(uri: str) -> str:
    """Return the URI if it can identify a resource. Raises errors.InvalidTarget."""
    if problem := resource_problem(uri):
        raise errors.InvalidTarget(f"resource {problem}.")
    return uri


def only_resource(resources: Sequence[str]) -> str | None:
    """Return the resource of a request, if any. Raises errors.InvalidTarget."""
    if len(resources) > 1:
        raise errors.InvalidTarget(
            "A token is for one resource. Send a separate request for each resource."
        )
    return check_resource(resources[0]) if resources else None


def resource_problem(uri: str) -> str:
    """Return what is wrong with a resource URI; "" if it is valid."""
    if not _CHARACTERS.fullmatch(uri):
        return "must be an absolute URI without a fragment"
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "must be an absolute URI"
    if parts.scheme not in {"https", "http"} or not host:
        return "must be an absolute http or https URI"
    if "@" in parts.netloc:
        return "must not contain a user name"
    if parts.scheme == "http" and host not in LOOPBACK:
        return "must be https (http is allowed only for this machine)"
    return ""


def without_slash(uri: str) -> str:
    """Return a resource URI without the trailing slash of its path.

    Two URIs that differ only in that slash identify the same resource (RFC 3986 6.2.3).
    """
    return uri if "?" in uri else uri.removesuffix("/")


def is_same(uri: str, other_uri: str) -> bool:
    """Return whether two URIs identify the same resource."""
    return without_slash(uri) == without_slash(other_uri)


def may_name(requested: str | None, uri: str) -> bool:
    """Return whether a request names this resource, or none."""
    return requested is None or is_same(requested, uri)


def callback_problem(uri: str, *, development: bool) -> str:
    """Return what is wrong with a callback URL (CIBA 4); "" if it is valid.

    Only https is allowed. In development, http on this machine is allowed too.
    """
    if not _CHARACTERS.fullmatch(uri) or len(uri) > _MAX_CALLBACK_LENGTH:
        return f"must be an absolute URI of at most {_MAX_CALLBACK_LENGTH} characters"
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "must be an absolute URI"
    if "@" in parts.netloc or not host:
        return "must contain a host, and no user"
    local = development and host in LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        return "must be https"
    if host in LOOPBACK and not development:
        return "must not be this machine"
    return ""


def is_below(uri: str, base: str) -> bool:
    """Return whether a URI is `base` or below it, however host and port are written.

    Both must be absolute http or https URIs.
    """
    base_parts, uri_parts = urlsplit(base), urlsplit(uri)
    if _authority(base_parts) != _authority(uri_parts):
        return False
    base_path = _normalized_path(base_parts)
    return _normalized_path(uri_parts) == base_path or _normalized_path(uri_parts).startswith(
        base_path.rstrip("/") + "/"
    )


def _authority(parts: SplitResult) -> tuple[str, str, int | None]:
    host = (parts.hostname or "").rstrip(".")
    name = "localhost" if host in LOOPBACK else host
    return parts.scheme, name, parts.port or _PORTS.get(parts.scheme)


def _normalized_path(parts: SplitResult) -> str:
    """Return the path as a server sees it: decoded and normalized."""
    return normpath("/" + unquote(parts.path).lstrip("/"))
