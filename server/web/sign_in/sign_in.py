"""The pages between an app's request and its response: sign in, consent, wait, sign out.

These are plain forms and redirects. Passkeys need a script. Other scripts only save a click: while
the person waits, and when an app uses `form_post`.
"""

import functools
from collections.abc import Callable
from typing import Final

from flask import Flask, Response, request
from werkzeug.wrappers import Response as AnyResponse

from server import telemetry
from server.http.site import Site
from server.protocol import addresses, errors, forms
from server.protocol.clients import redirects
from server.protocol.forms import Form
from server.protocol.names import ACR_PASSKEY, ACR_PASSWORD, handle_hash
from server.services.sign_in.authorize import AuthorizationResponse
from server.services.sign_in.flow_pages import ConsentPage, SignInPage
from server.services.sign_in.flows import Step
from server.services.sign_in.sign_in_attempts import TooManyAttempts
from server.services.sign_in.sign_ins import WrongPassword
from server.web.browser import (
    HEADERS,
    cookie_of,
    go,
    message,
    page,
    parse_form,
    redirect_to_issuer_host,
    with_cookie,
    with_error_pages,
)

_REMEDY: Final = (
    "No access was granted. Go back to the app and start again. If it happens again, tell "
    "the app's developer."
)


_FIRST_SERVER_ERROR: Final = 500


def add_sign_in(app: Flask, site: Site) -> None:
    """Add the pages to Flask."""
    for methods, path, view in (
        (["GET", "POST"], "/authorize", _authorize),
        (["GET"], "/continue", _continue),
        (["GET"], "/continue/waits", _waits),
        (["POST"], "/sign-in", _sign_in),
        (["POST"], "/consent", _consent),
        (["GET", "POST"], "/logout", _logout),
        (["POST"], "/sign-out", _sign_out),
    ):
        run = functools.partial(_answer, site, view, path)
        app.add_url_rule(
            path,
            endpoint=path,
            view_func=functools.partial(with_error_pages, path, run),
            methods=methods,
            provide_automatic_options=False,
        )


def _answer(site: Site, view: Callable[[Site], AnyResponse], path: str) -> AnyResponse:
    """Return the response; a protocol error is shown to the person, not sent to the app."""
    try:
        return view(site)
    except errors.ProtocolError as error:
        telemetry.log().debug("page.refused", path=path, error=error.code, detail=error.detail)
        response = message("Request refused", error.description, remedy=_REMEDY)
        response.status_code = error.status if error.status >= _FIRST_SERVER_ERROR else 400
        response.headers.extend(error.headers)
        return response


def _authorize(site: Site) -> AnyResponse:
    """GET and POST /authorize (OpenID Connect Core 3.1.2.1)."""
    if request.method != "POST" and (redirect := redirect_to_issuer_host(site)) is not None:
        return redirect
    result = site.sign_in.authorize.begin(_parameters(), peer=request.remote_addr or "")
    return (
        _redirect_to_app(result)
        if isinstance(result, AuthorizationResponse)
        else go(_continue_url(result))
    )


def _continue(site: Site) -> AnyResponse:
    handle = request.args.get("flow", "")
    switch_user = "switch" in request.args
    cookie = cookie_of(site)
    step = site.sign_in.flows.step(handle, cookie, switch_user=switch_user)
    return _step(site, step, handle, cookie)


def _waits(site: Site) -> AnyResponse:
    """GET /continue/waits: 204 until a device has answered; the waiting page polls it."""
    handle = request.args.get("flow", "")
    if not site.sign_in.flows.waits(handle, cookie_of(site)):
        return go(_continue_url(handle))
    return Response(status=204, headers=HEADERS)


def _sign_in(site: Site) -> AnyResponse:
    form = parse_form(site)
    handle, name = form.require("flow"), form.get("name") or ""
    try:
        cookie = _signed_in_cookie(site, form, handle_hash(handle))
    except (TooManyAttempts, WrongPassword, errors.Problem) as refused:
        cookie = cookie_of(site)
        step = site.sign_in.flows.step(handle, cookie, switch_user=True)
        if not isinstance(step, SignInPage):  # another window signed in
            return _step(site, step, handle, cookie)
        response = _sign_in_page(site, step, handle, cookie, name=name, problem=str(refused))
        if isinstance(refused, TooManyAttempts):
            response.status_code = 429
            response.headers["Retry-After"] = str(refused.seconds)
        return response
    return with_cookie(site, go(_continue_url(handle)), cookie)


def _signed_in_cookie(site: Site, form: Form, flow: bytes) -> str:
    """Sign in with a passkey or a password; return the new cookie."""
    cookie, peer = cookie_of(site), _address(site)
    sign_ins, assertion = site.sign_in.sign_ins, form.get("assertion")
    if assertion:
        return sign_ins.sign_in_with_passkey(assertion, flow=flow, peer=peer, cookie=cookie)
    name, password = form.get("name") or "", form.get("password") or ""
    return sign_ins.sign_in(name, password, flow=flow, peer=peer, cookie=cookie)


def _address(site: Site) -> str:
    """Return the browser's address; empty if a proxy on this machine hides it.

    Otherwise one stranger's failures would slow down everybody behind that proxy.
    """
    peer = request.remote_addr or ""
    return "" if not site.server_policy.on_loopback and addresses.is_loopback(peer) else peer


def _consent(site: Site) -> AnyResponse:
    form = parse_form(site)
    handle, cookie = form.require("flow"), cookie_of(site)
    if form.get("answer") == "allow":
        return _allow(site, handle, cookie)
    return _step(site, site.sign_in.flows.deny(handle, cookie), handle, cookie)


def _allow(site: Site, handle: str, cookie: str) -> AnyResponse:
    """Request the approval on a device; if that is not possible, show the reason."""
    try:
        step = site.sign_in.flows.consent(handle, cookie, peer=request.remote_addr or "")
    except errors.AccessDenied as refused:
        step = site.sign_in.flows.step(handle, cookie)
        return _step(site, step, handle, cookie, problem=refused.description)
    return _step(site, step, handle, cookie)


def _logout(site: Site) -> AnyResponse:
    """GET and POST /logout (OpenID Connect RP-Initiated Logout 2)."""
    form, cookie = _parameters(), cookie_of(site)
    names = ("client_id", "id_token_hint", "post_logout_redirect_uri", "state")
    if request.method == "POST":  # a cross-site POST has no cookie; a GET has it
        parameters = [(name, value) for name in names if (value := form.get(name)) is not None]
        return go(redirects.with_parameters("/logout", parameters))
    if (redirect := redirect_to_issuer_host(site)) is not None:
        return redirect
    logout = site.sign_in.rp_logout.check(form, cookie)
    if logout.user_name is None:
        return _signed_out(logout.go_to)
    return page(
        "sign_in/sign_out.html",
        form_action=_form_targets(logout.go_to),
        logout=logout,
        csrf=site.sign_in.sign_ins.csrf(cookie),
        kept={name: value for name in names if (value := form.get(name)) is not None},
    )


def _sign_out(site: Site) -> AnyResponse:
    form, cookie = parse_form(site), cookie_of(site)
    logout = site.sign_in.rp_logout.check(form, cookie)
    site.sign_in.sign_ins.sign_out(cookie)
    return with_cookie(site, _signed_out(logout.go_to), site.sign_in.sign_ins.new_cookie())


def _signed_out(go_to: str | None) -> AnyResponse:
    return message("You are signed out", "You can close this page.") if go_to is None else go(go_to)


def _step(site: Site, step: Step, handle: str, cookie: str, *, problem: str = "") -> AnyResponse:
    if isinstance(step, AuthorizationResponse):
        return _redirect_to_app(step)
    if isinstance(step, SignInPage):
        return _sign_in_page(site, step, handle, cookie, name=step.name)
    template = "sign_in/consent.html" if isinstance(step, ConsentPage) else "sign_in/waiting.html"
    if request.method == "POST" and template == "sign_in/waiting.html":
        return go(_continue_url(handle))
    return page(
        template,
        status=403 if problem else 200,
        form_action=_form_targets(step.redirect_uri),
        script=template == "sign_in/waiting.html",
        step=step,
        problem=problem,
        flow=handle,
        csrf=site.sign_in.sign_ins.csrf(cookie),
        host=redirects.host_of(step.redirect_uri),
    )


def _sign_in_page(
    site: Site, step: SignInPage, handle: str, cookie: str, *, name: str, problem: str = ""
) -> AnyResponse:
    browser_cookie = cookie or site.sign_in.sign_ins.new_cookie()
    response = page(
        "sign_in/sign_in.html",
        status=403 if problem else 200,
        form_action=_form_targets(step.redirect_uri),
        script=ACR_PASSKEY in step.methods,
        step=step,
        with_password=ACR_PASSWORD in step.methods,
        with_passkey=ACR_PASSKEY in step.methods,
        name=name,
        problem=problem,
        flow=handle,
        csrf=site.sign_in.sign_ins.csrf(browser_cookie),
    )
    return response if cookie else with_cookie(site, response, browser_cookie)


def _redirect_to_app(answer: AuthorizationResponse) -> AnyResponse:
    """Send the response to the app through the browser."""
    return_address = answer.return_to
    if return_address.mode == "form_post":
        action = redirects.form_source(return_address.redirect_uri)
        return page(
            "sign_in/form_post.html",
            form_action=action,
            script=True,
            where=return_address.redirect_uri,
            parameters=answer.parameters,
        )
    return go(redirects.with_parameters(return_address.redirect_uri, answer.parameters))


def _parameters() -> Form:
    """Return the parameters of a GET or POST request (OpenID Connect Core 3.1.2.1)."""
    if request.method == "POST":
        return forms.parse(request.get_data(cache=False), request.headers.get("Content-Type", ""))
    return forms.parse_query(request.query_string)


def _form_targets(where: str | None) -> str:
    """Return where the forms of a page may lead: to us and to the app's URI."""
    return "'self'" if where is None else f"'self' {redirects.form_source(where)}"


def _continue_url(handle: str) -> str:
    return redirects.with_parameters("/continue", [("flow", handle)])
