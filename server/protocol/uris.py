"""Resource indicators: what may name a resource (RFC 8707 2)."""

import re
from urllib.parse import urlsplit

from server.protocol import errors

_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]{1,2000}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_resource(uri: str) -> str:
    """The URI, if a resource may be called so. Raises errors.InvalidTarget."""
    if problem := resource_problem(uri):
        raise errors.InvalidTarget(f"resource {problem}.")
    return uri


def resource_problem(uri: str) -> str:
    """What is wrong with this name of a resource; "" when nothing is."""
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
        return "must not carry a user name"
    if parts.scheme == "http" and host not in _LOOPBACK:
        return "must be https (http is for this machine alone)"
    return ""
