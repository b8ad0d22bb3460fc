"""The page where a person types the code of a device that wants to sign in (RFC 8628 3.3).

Owns: the form, its CSRF protection, its messages. Never: whether a user exists. Submitting the form
does not decide anything; an enrolled device does.
"""

import hmac
from typing import Final

from flask import Flask, request
from werkzeug.wrappers import Response as AnyResponse

from server.http import cookies
from server.http.site import Site
from server.model.store import Busy
from server.web.browser import cookie_of, go, is_same_origin, page, redirect_to_issuer_host

_COOKIE: Final = "sayso_device"
_FIELD: Final = "form"
_MAX_NAME: Final = 320
_MAX_CODE: Final = 40
_FORM_SECONDS: Final = 15 * 60
"""A code is valid for the same time."""
_BUSY: Final = "The server is busy. Nothing was sent. Try again."
_STALE: Final = "This page has expired, or another site sent you here. Enter the code again."


def add_device_pages(app: Flask, site: Site) -> None:
    """Add this page and the enrollment page to Flask.

    The enrollment link has the code in its fragment, so that no proxy logs it.
    """

    @app.get("/enroll")
    def enroll() -> AnyResponse:
        enrollment_page = page("devices/enroll.html", script=True, issuer=site.server_policy.issuer)
        return redirect_to_issuer_host(site) or enrollment_page

    @app.get("/device")
    def device() -> AnyResponse:
        if (redirect := redirect_to_issuer_host(site)) is not None:
            return redirect
        return _form(site, name=_signed_in_name(site), code=request.args.get("user_code", ""))

    @app.post("/device")
    def entered() -> AnyResponse:
        if (redirect := redirect_to_issuer_host(site)) is not None:
            return redirect
        return _submit(site)

    @app.get("/device/sent")
    def sent() -> AnyResponse:
        return redirect_to_issuer_host(site) or page("devices/code_sent.html")


def _submit(site: Site) -> AnyResponse:
    """Submit the form, or show it again with an error.

    1. The form came from our page. 2. Both fields are filled in. 3. The code creates an
    approval. The page does not reveal whether anybody sees it.
    """
    name = request.form.get("name", "").strip()[:_MAX_NAME]
    code = request.form.get("user_code", "")
    if not _is_our_form(site):
        return _form(site, name=name, code=code, problem=_STALE)
    if not name or not code:
        return _form(site, name=name, code=code, problem="Enter your user name and the code.")
    try:
        problem = site.devices.grant.submit_code(
            name=name, typed=code, peer=request.remote_addr or ""
        )
    except Busy:
        return _form(site, name=name, code=code, problem=_BUSY)
    if problem:
        return _form(site, name=name, code="", problem=problem)
    return go(f"{site.server_policy.issuer}/device/sent")


def _signed_in_name(site: Site) -> str:
    """Return the name of the signed-in user of this browser, to prefill the field."""
    try:
        with site.store.read() as view:
            sign_in = site.sign_in.sign_ins.current(view, cookie_of(site))
    except Busy:
        return ""
    return "" if sign_in is None else sign_in.user.name


def _form(site: Site, *, name: str, code: str, problem: str = "") -> AnyResponse:
    """Return the form, with a token that is also in this browser's cookie."""
    token = site.devices.grant.form_token()
    response = page(
        "devices/code.html",
        status=400 if problem else 200,
        form_action="'self'",
        code=site.devices.grant.format_code(code[:_MAX_CODE]),
        name=name,
        problem=problem,
        token=token,
    )
    response.set_cookie(
        _COOKIE,
        token,
        path="/device",
        max_age=_FORM_SECONDS,
        httponly=True,
        samesite="Strict",
        secure=cookies.is_secure(site.server_policy),
    )
    return response


def _is_our_form(site: Site) -> bool:
    """Return whether the form came from our own page in this browser."""
    if not is_same_origin(site):
        return False
    cookie_token, form_token = request.cookies.get(_COOKIE, ""), request.form.get(_FIELD, "")
    return bool(cookie_token) and hmac.compare_digest(cookie_token.encode(), form_token.encode())
