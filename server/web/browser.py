"""What every page does alike: security headers, the cookie, the one check of a form's origin.

Owns: the policy of `server.web`. Never: what a page is about.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
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
_MOST_COOKIE = 128
_REFUSED: Final = 400
_OF_SCRIPTS: Final = (
    "worker-src 'self'",
    "manifest-src 'self'",
    "trusted-types sayso-worker",
)
"""The one thing that becomes a script by name is our service worker (`push.js`)."""


def policy(*, form_action: str = "'none'", script: bool = False) -> str:
    """The Content-Security-Policy of a page; a form may lead to the addresses that it names."""
    return "; ".join(
        [
            "default-src 'none'",
            *(["script-src 'self'", "connect-src 'self'", *_OF_SCRIPTS] if script else []),
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
    """A page that nobody stores, frames or scripts."""
    shown = {"theme": themes.wanted(), **facts}
    response = Response(render_template(template, **shown), status, mimetype="text/html")
    response.headers.extend(HEADERS)
    response.headers["Content-Security-Policy"] = policy(form_action=form_action, script=script)
    return response


def message(title: str, text: str, *, remedy: str = "", status: int = 200) -> Response:
    """A page with one thing to say, and what to do about it; from a refusal a way leads on."""
    homes = _homes(request.path) if status >= _REFUSED else ()
    return page("message.html", status=status, title=title, text=text, remedy=remedy, homes=homes)


def guarded(path: str, view: Callable[[], AnyResponse]) -> AnyResponse:
    """What a page answers; a fault is logged and answered too, whatever a browser sent."""
    try:
        return view()
    except HTTPException:  # a body that is too long has an answer of its own
        raise
    except Busy:
        return message("Server busy", "The server is busy. Try again.", status=503)
    except Exception:  # noqa: BLE001  # the last handler: logged, and answered with a page
        telemetry.log().exception("page.failed", path=path)
        return message("Server error", "The error was logged. Try again.", status=500)


def _homes(path: str) -> tuple[tuple[str, str], ...]:
    """What waits; and the page of the console that opens for everybody, where they were in it."""
    inside = [("/admin/agents", "Console")] if path.startswith("/admin") else []
    return (("/", "Inbox"), *inside)


def go(where: str) -> AnyResponse:
    """Send the browser there with GET, whatever it came with (RFC 9700 4.12)."""
    response = redirect(where, code=303)
    response.headers.extend(HEADERS)
    return response


def under_another_name(site: Site) -> AnyResponse | None:
    """On this machine, the way to the issuer's own name; cookies and origins then are one."""
    if not site.rules.on_loopback or request.host == urlsplit(site.rules.issuer).netloc:
        return None
    query = request.query_string.decode("latin-1")
    return go(f"{site.rules.issuer}{request.path}{'?' * bool(query)}{query}")


def cookie_name(site: Site) -> str:
    """With the prefix that no other host and no plain connection can set, where there is TLS."""
    return "__Host-sayso" if site.rules.issuer.startswith("https:") else "sayso"


def cookie_of(site: Site) -> str:
    """What the browser brought; "" when it is nothing of ours."""
    value = request.cookies.get(cookie_name(site), "")
    return value if len(value) <= _MOST_COOKIE and value.isascii() else ""


def with_cookie(site: Site, response: AnyResponse, value: str) -> AnyResponse:
    """Give the browser this cookie until it is closed."""
    response.set_cookie(
        cookie_name(site),
        value,
        path="/",
        secure=site.rules.issuer.startswith("https:"),
        httponly=True,
        samesite="Lax",
    )
    return response


def posted(site: Site) -> Form:
    """The form that a page of ours sent.

    1. The browser says that it comes from here, if it says anything.  2. It carries the token that
    the page for this very browser had. Raises errors.InvalidRequest.
    """
    form = forms.parse(request.get_data(cache=False), request.headers.get("Content-Type", ""))
    cookie = cookie_of(site)
    known = cookie and form.get("csrf") == site.sign_in.sign_ins.csrf(cookie)
    if not known or not from_here(site):
        raise errors.InvalidRequest("This page has expired. Go back and try again.")
    return form


def from_here(site: Site) -> bool:
    """Reports whether the browser says, if it says anything, that a page of ours sent this form."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return cookies.is_from_here(site.rules, headers)


def day(at: int) -> str:
    """A day as a person reads it."""
    then = datetime.fromtimestamp(at / 1000, UTC)
    return f"{then.day} {then:%B %Y}"


def moment(at: int) -> str:
    """A moment as a person reads it."""
    return f"{day(at)}, {datetime.fromtimestamp(at / 1000, UTC):%H:%M} UTC"
