"""Endpoints to create passkeys, and to sign a browser in and out with one."""

from functools import partial

from server.http import cookies
from server.http.cookies import CSRF
from server.http.devices import device_wire
from server.http.devices import passkey_wire as forms
from server.http.route import NO_STORE, Caller, HttpRequest, HttpResponse, as_json, own, route
from server.http.site import Site
from server.http.users import user_wire
from server.protocol import errors
from server.services.devices.browsers import TICKET_MS

_browser = partial(route, caller=Caller.ANYBODY, problems=True, same_origin=True)


@_browser("POST /api/passkeys/options", errors=(403, 422))
def prepare(
    site: Site, request: HttpRequest, body: forms.PasskeyCode
) -> forms.PasskeyCreationOptions:
    """Get the options to create a passkey, with a one-time code.

    The code stays unused.
    """
    options = site.devices.passkeys.prepare(body.code, peer=request.peer)
    return forms.PasskeyCreationOptions.model_validate(options)


@_browser("POST /api/passkeys", answer=forms.RegisteredPasskey, status=201, errors=(403, 409, 422))
def register(site: Site, request: HttpRequest, body: forms.PasskeyRegistration) -> HttpResponse:
    """Register a passkey as a device, with a one-time code.

    Signs its browser in.
    """
    try:
        passkey = body.record()
    except ValueError as error:
        raise errors.invalid_body(f"{error}.") from error
    device, cookie = site.devices.passkeys.register(body.code, passkey, peer=request.peer)
    answer = forms.RegisteredPasskey(device=device_wire.device(device, this=True, nonce=None))
    return as_json(201, answer.model_dump(), cookies.set_cookie_header(site.server_policy, cookie))


@_browser("POST /api/passkeys/offer", errors=(403,))
def offer(site: Site) -> forms.PasskeySignInOptions:
    """Get the challenge for signing in with a passkey."""
    passkey_challenge = site.devices.passkeys.create_challenge()
    return forms.offer(passkey_challenge, site.server_policy.rp_id)


@_browser("POST /api/passkeys/sign-in", answer=forms.SignedIn, errors=(403, 422))
def sign_in(site: Site, body: forms.PasskeyAssertion) -> HttpResponse:
    """Sign this browser in with a passkey."""
    user, cookie = site.devices.passkeys.sign_in(body.assertion)
    answer = forms.SignedIn(user=user_wire.user(user))
    return as_json(200, answer.model_dump(), cookies.set_cookie_header(site.server_policy, cookie))


@own("POST /api/feed/ticket")
def ticket(site: Site, request: HttpRequest) -> forms.FeedTicket:
    """Get the first frame for the feed of this browser.

    Pages need a ticket. A terminal proves its key when it connects.
    """
    cookie = cookies.session_cookie(site.server_policy, request)
    if not cookie:
        raise errors.Problem(403, "forbidden", "Terminals send a token and a proof, not a ticket.")
    return forms.FeedTicket(
        ticket=site.devices.browsers.ticket(cookie), expires_in=TICKET_MS // 1000
    )


@_browser("POST /api/passkeys/sign-out", headers=(CSRF,), status=204, errors=(403,))
def sign_out(site: Site, request: HttpRequest) -> HttpResponse:
    """Sign this browser out.

    The passkey stays.
    """
    cookie = cookies.session_cookie(site.server_policy, request)
    cookies.check_page(site.devices.browsers, site.server_policy, request, cookie)
    site.devices.browsers.sign_out(cookie)
    return HttpResponse(
        204, headers={**NO_STORE, **cookies.set_cookie_header(site.server_policy, "")}
    )
