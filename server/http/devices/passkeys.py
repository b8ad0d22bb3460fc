"""Endpoints to create passkeys, and to sign a browser in and out with one."""

from typing import Final

from server.http import cookies, wire
from server.http.cookies import CSRF
from server.http.devices import device_wire
from server.http.devices import passkey_wire as forms
from server.http.route import NO_STORE, Caller, HttpRequest, HttpResponse, Route, as_json, own
from server.http.site import Site
from server.http.users import user_wire
from server.protocol import errors
from server.services.devices.browsers import TICKET_MS
from server.services.users.device_auth import Person


def prepare(site: Site, request: HttpRequest) -> forms.PasskeyCreationOptions:
    """POST /api/passkeys/options: the options to create a passkey; the code stays unused."""
    cookies.check_origin(site.server_policy, request)
    body = wire.read(forms.PasskeyCode, request.body)
    options = site.devices.passkeys.prepare(body.code, peer=request.peer)
    return forms.PasskeyCreationOptions.model_validate(options)


def register(site: Site, request: HttpRequest) -> HttpResponse:
    """POST /api/passkeys: register the passkey as a device, and sign its browser in."""
    cookies.check_origin(site.server_policy, request)
    body = wire.read(forms.PasskeyRegistration, request.body)
    try:
        passkey = body.record()
    except ValueError as error:
        raise errors.invalid_body(f"{error}.") from error
    device, cookie = site.devices.passkeys.register(body.code, passkey, peer=request.peer)
    answer = forms.RegisteredPasskey(device=device_wire.device(device, this=True, nonce=None))
    return as_json(201, answer.model_dump(), cookies.setting(site.server_policy, cookie))


def offer(site: Site, request: HttpRequest) -> forms.PasskeySignInOptions:
    """POST /api/passkeys/offer: the challenge that a browser signs to sign in."""
    cookies.check_origin(site.server_policy, request)
    passkey_challenge = site.devices.passkeys.create_challenge()
    return forms.offer(passkey_challenge, site.server_policy.rp_id)


def sign_in(site: Site, request: HttpRequest) -> HttpResponse:
    """POST /api/passkeys/sign-in: sign in with the signed challenge."""
    cookies.check_origin(site.server_policy, request)
    body = wire.read(forms.PasskeyAssertion, request.body)
    user, cookie = site.devices.passkeys.sign_in(body.assertion)
    answer = forms.SignedIn(user=user_wire.user(user))
    return as_json(200, answer.model_dump(), cookies.setting(site.server_policy, cookie))


@own("POST /api/feed/ticket")
def ticket(site: Site, request: HttpRequest, _person: Person) -> forms.FeedTicket:
    """Get the first frame for the feed of this browser.

    Pages need a ticket. A terminal proves its key when it connects.
    """
    cookie = cookies.session_cookie(site.server_policy, request)
    if not cookie:
        raise errors.Problem(403, "forbidden", "Terminals send a token and a proof, not a ticket.")
    return forms.FeedTicket(
        ticket=site.devices.browsers.ticket(cookie), expires_in=TICKET_MS // 1000
    )


def sign_out(site: Site, request: HttpRequest) -> HttpResponse:
    """POST /api/passkeys/sign-out: sign this browser out; the passkey stays."""
    cookie = cookies.session_cookie(site.server_policy, request)
    cookies.check_page(site.devices.browsers, site.server_policy, request, cookie)
    site.devices.browsers.sign_out(cookie)
    return HttpResponse(204, headers={**NO_STORE, **cookies.setting(site.server_policy, "")})


PASSKEY_ROUTES: Final = (
    Route(
        "POST",
        "/api/passkeys/options",
        prepare,
        Caller.ANYBODY,
        "Get the options to create a passkey, with a one-time code.",
        body=forms.PasskeyCode,
        answer=forms.PasskeyCreationOptions,
        errors=(403, 422),
        problems=True,
    ),
    Route(
        "POST",
        "/api/passkeys",
        register,
        Caller.ANYBODY,
        "Register a passkey as a device, with a one-time code.",
        body=forms.PasskeyRegistration,
        answer=forms.RegisteredPasskey,
        status=201,
        errors=(403, 409, 422),
        problems=True,
    ),
    Route(
        "POST",
        "/api/passkeys/offer",
        offer,
        Caller.ANYBODY,
        "Get the challenge for signing in with a passkey.",
        answer=forms.PasskeySignInOptions,
        errors=(403,),
        problems=True,
    ),
    Route(
        "POST",
        "/api/passkeys/sign-in",
        sign_in,
        Caller.ANYBODY,
        "Sign this browser in with a passkey.",
        body=forms.PasskeyAssertion,
        answer=forms.SignedIn,
        errors=(403, 422),
        problems=True,
    ),
    ticket,
    Route(
        "POST",
        "/api/passkeys/sign-out",
        sign_out,
        Caller.ANYBODY,
        "Sign this browser out.",
        headers=(CSRF,),
        status=204,
        errors=(403,),
        problems=True,
    ),
)
