"""The session cookie of a browser that is signed in with a passkey, and its CSRF checks.

Owns: the cookie's name and attributes, and the checks against cross-site requests. Never: finding
the session's user.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from server.http.route import HttpRequest
from server.protocol import errors
from server.services.devices.browsers import SIGNED_IN_MS, Browsers
from server.services.server_policy import ServerPolicy

CSRF: Final = "Sayso-Csrf"
"""The header with the CSRF token."""
_MAX_COOKIE: Final = 128
_SAFE: Final = frozenset({"GET", "HEAD"})


def name(policy: ServerPolicy) -> str:
    """The cookie's name; with TLS it has the `__Host-` prefix, which other hosts cannot set."""
    return "__Host-sayso-passkey" if is_secure(policy) else "sayso-passkey"


def session_cookie(policy: ServerPolicy, request: HttpRequest) -> str:
    """The value of the request's session cookie; "" if it is missing or malformed."""
    cookie_name = name(policy)
    pairs = (part.strip().partition("=") for part in request.headers.get("cookie", "").split(";"))
    return valid_cookie(next((value for key, _, value in pairs if key == cookie_name), ""))


def valid_cookie(value: str) -> str:
    """The cookie value if it is well-formed, else ""."""
    return value if len(value) <= _MAX_COOKIE and value.isascii() else ""


def set_cookie_header(policy: ServerPolicy, value: str) -> Mapping[str, str]:
    """The header that sets the cookie; "" deletes it."""
    parts = [
        f"{name(policy)}={value}",
        "Path=/",
        f"Max-Age={SIGNED_IN_MS // 1000 if value else 0}",
        "HttpOnly",
        "SameSite=Strict",
        *(["Secure"] if is_secure(policy) else []),
    ]
    return {"Set-Cookie": "; ".join(parts)}


def is_same_origin(policy: ServerPolicy, headers: Mapping[str, str]) -> bool:
    """Return whether the request is same-origin, as far as its headers say.

    `headers` has lower-case names. Our pages send no referrer, so browsers send `Origin: null` with
    their forms, as sandboxed pages of other sites do too (Fetch 3.2). Therefore null is accepted
    only together with `Sec-Fetch-Site: same-origin`.
    """
    origin, fetch_site = headers.get("origin"), headers.get("sec-fetch-site")
    if fetch_site not in {None, "same-origin"}:
        return False
    if origin == "null":
        return fetch_site is not None
    parts = urlsplit(policy.issuer)
    return origin in {None, f"{parts.scheme}://{parts.netloc}"}


def check_origin(policy: ServerPolicy, request: HttpRequest) -> None:
    """Refuse a cross-site request. Raises errors.Problem 403."""
    if not is_same_origin(policy, request.headers):
        raise errors.Problem(403, "forbidden", "Refused: sent from another site.")


def check_page(browsers: Browsers, policy: ServerPolicy, request: HttpRequest, cookie: str) -> None:
    """Check that a request with the cookie comes from one of our pages.

    1. It is same-origin.  2. It has this browser's CSRF token; without one, it may only read.
    Raises errors.Problem 403.
    """
    check_origin(policy, request)
    token = request.headers.get(CSRF.lower())
    only_reads = token is None and request.method in _SAFE
    if not only_reads and not browsers.is_from_page(cookie, token):
        raise errors.Problem(403, "stale_page", "This page is out of date. Reload it.")


def is_secure(policy: ServerPolicy) -> bool:
    """Return whether cookies must be sent only over TLS."""
    return policy.issuer.startswith("https:")
