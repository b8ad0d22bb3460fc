"""Endpoints to create passkeys, and to sign a browser in and out with one."""

from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, Field

from server.http import cookies
from server.http.cookies import CSRF
from server.http.devices import device_wire
from server.http.devices.device_wire import Device
from server.http.route import NO_STORE, Caller, HttpRequest, HttpResponse, as_json, own, route
from server.http.site import Site
from server.http.users import user_wire
from server.http.users.user_wire import User
from server.http.wire import StrictBody
from server.protocol import errors
from server.protocol.devices import passkeys
from server.services.devices.browsers import TICKET_MS
from server.services.devices.passkeys import NewPasskey

_browser = partial(route, caller=Caller.ANYBODY, problems=True, same_origin=True)


_BASE64URL = r"^[A-Za-z0-9_-]+$"


class PasskeyCode(StrictBody):
    """The one-time code for creating a passkey."""

    code: str = Field(max_length=128)


class PasskeyRegistration(PasskeyCode):
    """A new passkey (`PublicKeyCredential.toJSON()`)."""

    name: str = Field(min_length=1, max_length=64)
    attestation: str = Field(pattern=_BASE64URL, max_length=65_536)
    client_data: str = Field(pattern=_BASE64URL, max_length=8_192)

    def record(self) -> NewPasskey:
        """Return the decoded passkey. Raises ValueError for invalid base64url."""
        return NewPasskey(
            name=self.name,
            attestation=passkeys.decode_base64url(self.attestation),
            client_data=passkeys.decode_base64url(self.client_data),
        )


class PasskeyCreationOptions(BaseModel):
    """The options for `navigator.credentials.create`."""

    rp: dict[str, str]
    user: dict[str, str]
    challenge: str
    pubKeyCredParams: list[dict[str, Any]]  # noqa: N815  # as in WebAuthn
    excludeCredentials: list[dict[str, str]]  # noqa: N815  # as above
    authenticatorSelection: dict[str, Any]  # noqa: N815  # as above
    attestation: Literal["none"]
    timeout: int


class PasskeySignInOptions(BaseModel):
    """The text that a browser signs to sign in. `challenge` is the SHA-256 hash of `text`."""

    text: str
    challenge: str
    rp_id: str


class PasskeyAssertion(StrictBody):
    """A passkey signature in five parts, described in `docs/reference/signing.md`."""

    assertion: str = Field(max_length=16_384)


class SignedIn(BaseModel):
    """The user who is signed in to this browser."""

    user: User


class FeedTicket(BaseModel):
    """The first frame that a page sends on the feed. It can be used once."""

    ticket: str
    expires_in: int


class RegisteredPasskey(BaseModel):
    """The new device. This browser is now signed in with it."""

    device: Device


@_browser("POST /api/passkeys/options", errors=(403, 422))
def prepare(site: Site, request: HttpRequest, body: PasskeyCode) -> PasskeyCreationOptions:
    """Get the options to create a passkey, with a one-time code.

    This does not use the code.
    """
    options = site.devices.passkeys.prepare(body.code, peer=request.peer)
    return PasskeyCreationOptions.model_validate(options)


@_browser("POST /api/passkeys", answer=RegisteredPasskey, status=201, errors=(403, 409, 422))
def register(site: Site, request: HttpRequest, body: PasskeyRegistration) -> HttpResponse:
    """Register a passkey as a device, with a one-time code.

    Also signs the browser in.
    """
    try:
        passkey = body.record()
    except ValueError as error:
        raise errors.invalid_body(f"{error}.") from error
    device, cookie = site.devices.passkeys.register(body.code, passkey, peer=request.peer)
    answer = RegisteredPasskey(device=device_wire.device(device, this=True, nonce=None))
    return as_json(201, answer.model_dump(), cookies.set_cookie_header(site.server_policy, cookie))


@_browser("POST /api/passkeys/offer", errors=(403,))
def offer(site: Site) -> PasskeySignInOptions:
    """Get the challenge for signing in with a passkey."""
    new = site.devices.passkeys.create_challenge()
    challenge = passkeys.encode_base64url(new.challenge)
    return PasskeySignInOptions(text=new.text, challenge=challenge, rp_id=site.server_policy.rp_id)


@_browser("POST /api/passkeys/sign-in", answer=SignedIn, errors=(403, 422))
def sign_in(site: Site, body: PasskeyAssertion) -> HttpResponse:
    """Sign this browser in with a passkey."""
    user, cookie = site.devices.passkeys.sign_in(body.assertion)
    answer = SignedIn(user=user_wire.User.of(user))
    return as_json(200, answer.model_dump(), cookies.set_cookie_header(site.server_policy, cookie))


@own("POST /api/feed/ticket")
def ticket(site: Site, request: HttpRequest) -> FeedTicket:
    """Get the first frame for the feed of this browser.

    Pages need a ticket. A terminal proves its key when it connects.
    """
    cookie = cookies.session_cookie(site.server_policy, request)
    if not cookie:
        raise errors.Problem(403, "forbidden", "Terminals send a token and a proof, not a ticket.")
    return FeedTicket(ticket=site.devices.browsers.ticket(cookie), expires_in=TICKET_MS // 1000)


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
