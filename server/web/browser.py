"""Shared by all pages: security headers, the sign-in cookie, form checks, error pages.

Owns: the security policy of `server.web`. Never: the contents of a page.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from server import telemetry
from server.http import cookies
from server.http.site import Site
from server.model.store import Busy
from server.protocol import errors, forms
from server.protocol.forms import Form
from server.protocol.times import day_text
from server.web import themes

HEADERS: Final = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
PAGE_EXPIRED: Final = "This page has expired. Go back and try again."
_FIRST_ERROR_STATUS: Final = 400
_SCRIPT_DIRECTIVES: Final = (
    "worker-src 'self'",
    "manifest-src 'self'",
    "trusted-types sayso-worker",
)
"""Only `push.js` loads a script by its URL: the service worker."""


def policy(*, form_action: str = "'none'", script: bool = False) -> str:
    """The Content-Security-Policy of a page. `form_action` lists the allowed targets of forms."""
    return "; ".join(
        [
            "default-src 'none'",
            *(["script-src 'self'", "connect-src 'self'", *_SCRIPT_DIRECTIVES] if script else []),
            "style-src 'self'",
            "img-src 'self'",
            f"form-action {form_action}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
        ]
    )


def page(
    template: str,
    *,
    status: int = 200,
    form_action: str = "'none'",
    script: bool = False,
    **facts: object,
) -> Response:
    """Render a template as a page with the security headers."""
    variables = {"theme": themes.current(), **facts}
    response = Response(render_template(template, **variables), status, mimetype="text/html")
    response.headers.extend(HEADERS)
    response.headers["Content-Security-Policy"] = policy(form_action=form_action, script=script)
    return response


def message(
    title: str, text: str, *, remedy: str = "", status: int = 200, reloads: bool = False
) -> Response:
    """A page with one message and its remedy. An error page also links back to the start pages.

    With `reloads`, the page reloads itself.
    """
    homes = _start_pages(request.path) if status >= _FIRST_ERROR_STATUS else ()
    facts: dict[str, Any] = {"title": title, "text": text, "remedy": remedy, "homes": homes}
    return page("message.html", status=status, reloads=reloads, **facts)


def with_error_pages(path: str, view: Callable[[], AnyResponse]) -> AnyResponse:
    """Run a view; show an error page if it fails."""
    try:
        return view()
    except HTTPException:  # such as a body that is too large; it has its own handler
        raise
    except Busy:
        return message("Server busy", "The server is busy. Try again.", status=503)
    except Exception:  # noqa: BLE001  # the last handler: logs it and shows an error page
        telemetry.log().exception("page.failed", path=path)
        text = f"Try again. The error is in the log as {telemetry.correlation_id()}."
        return message("Server error", text, status=500)


def _start_pages(path: str) -> tuple[tuple[str, str], ...]:
    """The inbox; in the console also its list of agents, which everyone may see."""
    console = [("/admin/agents", "Console")] if path.startswith("/admin") else []
    return (("/", "Inbox"), *console)


def go(where: str) -> AnyResponse:
    """Redirect with 303, so that the browser sends GET without the form (RFC 9700 4.12)."""
    response = redirect(where, code=303)
    response.headers.extend(HEADERS)
    return response


def redirect_to_issuer_host(site: Site) -> AnyResponse | None:
    """On the loopback, redirect to the issuer's host, because cookies and origins differ by host.

    Returns None if the issuer is not on the loopback, or if the request already uses its host.
    """
    if (
        not site.server_policy.on_loopback
        or request.host == urlsplit(site.server_policy.issuer).netloc
    ):
        return None
    query = request.query_string.decode("latin-1")
    return go(f"{site.server_policy.issuer}{request.path}{'?' * bool(query)}{query}")


def _cookie_name(site: Site) -> str:
    """The cookie's name; with TLS it has the `__Host-` prefix, which other hosts cannot set."""
    return "__Host-sayso" if cookies.is_secure(site.server_policy) else "sayso"


def cookie_of(site: Site) -> str:
    """The value of the request's cookie; "" if it is missing or malformed."""
    return cookies.valid_cookie(request.cookies.get(_cookie_name(site), ""))


def with_cookie(site: Site, response: AnyResponse, value: str) -> AnyResponse:
    """Set the cookie. Browsers delete it when they are closed."""
    return set_cookie(site, response, _cookie_name(site), value)


def set_cookie(
    site: Site, response: AnyResponse, name: str, value: str, *, max_age: int | None = None
) -> AnyResponse:
    """Set a cookie that scripts cannot read, and that browsers send with links from other sites."""
    response.set_cookie(
        name,
        value,
        path="/",
        max_age=max_age,
        secure=cookies.is_secure(site.server_policy),
        httponly=True,
        samesite="Lax",
    )
    return response


def parse_form(site: Site) -> Form:
    """Parse a form and check that one of our pages sent it.

    1. The request is same-origin.  2. It has this browser's CSRF token.
    Raises errors.InvalidRequest.
    """
    form = forms.parse(request.get_data(cache=False), request.headers.get("Content-Type", ""))
    cookie = cookie_of(site)
    has_csrf_token = cookie and form.get("csrf") == site.sign_in.sign_ins.csrf(cookie)
    if not has_csrf_token or not is_same_origin(site):
        raise errors.InvalidRequest(PAGE_EXPIRED)
    return form


def is_same_origin(site: Site) -> bool:
    """Return whether the request is same-origin, according to its headers."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return cookies.is_same_origin(site.server_policy, headers)


def moment(at: int, *, seconds: bool = False) -> str:
    """A time in milliseconds as a date and a time of day in UTC."""
    time = datetime.fromtimestamp(at / 1000, UTC).time()
    return f"{day_text(at)}, {time.isoformat('seconds' if seconds else 'minutes')} UTC"
