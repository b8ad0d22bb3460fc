"""The cookie of a browser that is signed in with a passkey, and what must come beside it.

Owns: its name and attributes, the checks against requests that other sites cause. Never: whose it
is.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from server.http.message import HttpRequest
from server.protocol import errors
from server.services.devices.browsers import SIGNED_IN_MS, Browsers
from server.services.server_policy import ServerPolicy

CSRF: Final = "Sayso-Csrf"
"""The header in which a page of ours says that it is one."""
_MOST_COOKIE: Final = 128
_SAFE: Final = frozenset({"GET", "HEAD"})


def name(rules: ServerPolicy) -> str:
    """With the prefix that no other host and no plain connection can set, where there is TLS."""
    return "__Host-sayso-passkey" if _is_secure(rules) else "sayso-passkey"


def of(rules: ServerPolicy, request: HttpRequest) -> str:
    """What the browser brought; "" when it is nothing of ours."""
    own = name(rules)
    pairs = (one.strip().partition("=") for one in request.headers.get("cookie", "").split(";"))
    return known(next((value for named, _, value in pairs if named == own), ""))


def known(value: str) -> str:
    """The value of a cookie if it can be one of ours, else ""."""
    return value if len(value) <= _MOST_COOKIE and value.isascii() else ""


def setting(rules: ServerPolicy, value: str) -> Mapping[str, str]:
    """The header that gives a browser this cookie; "" takes it away."""
    parts = [
        f"{name(rules)}={value}",
        "Path=/",
        f"Max-Age={SIGNED_IN_MS // 1000 if value else 0}",
        "HttpOnly",
        "SameSite=Strict",
        *(["Secure"] if _is_secure(rules) else []),
    ]
    return {"Set-Cookie": "; ".join(parts)}


def is_from_here(rules: ServerPolicy, headers: Mapping[str, str]) -> bool:
    """Reports whether the browser says, if it says anything, that a page of ours sent this.

    `headers` has lower-case names. Our pages send no referrer, and browsers then call the origin of
    their forms null, as they do for sandboxed pages of others (Fetch 3.2); so null counts only
    beside their word for where it came from.
    """
    origin, came_from = headers.get("origin"), headers.get("sec-fetch-site")
    if came_from not in {None, "same-origin"}:
        return False
    if origin == "null":
        return came_from is not None
    parts = urlsplit(rules.issuer)
    return origin in {None, f"{parts.scheme}://{parts.netloc}"}


def check_origin(rules: ServerPolicy, request: HttpRequest) -> None:
    """Refuse what another site sent. Raises errors.Problem 403."""
    if not is_from_here(rules, request.headers):
        raise errors.Problem(403, "forbidden", "Another site sent this. Nothing was done.")


def check_page(browsers: Browsers, rules: ServerPolicy, request: HttpRequest, cookie: str) -> None:
    """Hold a request by cookie against what a page of ours sends beside it.

    1. The browser says that it comes from here, if it says anything.  2. What changes something
    carries what only a page for this very browser knows. Raises errors.Problem 403.
    """
    check_origin(rules, request)
    token = request.headers.get(CSRF.lower())
    if request.method not in _SAFE and not browsers.is_from_page(cookie, token):
        raise errors.Problem(403, "stale_page", "This page is out of date. Load it again.")


def _is_secure(rules: ServerPolicy) -> bool:
    return rules.issuer.startswith("https:")
