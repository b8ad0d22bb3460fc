"""What every page does alike: security headers, the cookie, the one check of a form's origin.

Owns: the policy of `server.web`. Never: what a page is about.
"""

from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site
from server.protocol import errors, forms
from server.protocol.forms import Form

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


def policy(*, form_action: str = "'none'", script: bool = False) -> str:
    """The Content-Security-Policy of a page; a form may lead to the addresses that it names."""
    return "; ".join(
        [
            "default-src 'none'",
            *(["script-src 'self'"] if script else []),
            "style-src 'self'",
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
    response = Response(render_template(template, **facts), status, mimetype="text/html")
    response.headers.extend(HEADERS)
    response.headers["Content-Security-Policy"] = policy(form_action=form_action, script=script)
    return response


def message(title: str, text: str, *, remedy: str = "", status: int = 200) -> Response:
    """A page with one thing to say, and what to do about it."""
    return page("message.html", status=status, title=title, text=text, remedy=remedy)


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
    known = cookie and form.get("csrf") == site.sign_ins.csrf(cookie)
    if not known or not from_here(site):
        raise errors.InvalidRequest("This page was open for too long. Go back and try again.")
    return form


def from_here(site: Site) -> bool:
    """Reports whether the browser says, if it says anything, that a page of ours sent this form.

    Our pages send no referrer, and browsers then call the origin null, as they do for sandboxed
    pages of others (Fetch 3.2); so null counts only beside their word for where it came from.
    """
    origin, came_from = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if came_from not in {None, "same-origin"}:
        return False
    if origin == "null":
        return came_from is not None
    parts = urlsplit(site.rules.issuer)
    return origin in {None, f"{parts.scheme}://{parts.netloc}"}


def day(moment: int) -> str:
    """A day as a person reads it."""
    at = datetime.fromtimestamp(moment / 1000, UTC)
    return f"{at.day} {at:%B %Y}"
