"""Routes for passkeys. Only our own pages may call them, which `cookies.py` checks."""

from typing import Final

from server.http.cookies import CSRF
from server.http.devices import passkey_wire as wire
from server.http.devices import passkeys
from server.http.route import Caller, Route, own

PASSKEY_ROUTES: Final = (
    Route(
        "POST",
        "/api/passkeys/options",
        passkeys.prepare,
        Caller.ANYBODY,
        "Get the options to create a passkey, with a one-time code.",
        body=wire.PasskeyCode,
        answer=wire.PasskeyCreationOptions,
        errors=(403, 422),
        problems=True,
    ),
    Route(
        "POST",
        "/api/passkeys",
        passkeys.register,
        Caller.ANYBODY,
        "Register a passkey as a device, with a one-time code.",
        body=wire.PasskeyRegistration,
        answer=wire.RegisteredPasskey,
        status=201,
        errors=(403, 409, 422),
        problems=True,
    ),
    Route(
        "POST",
        "/api/passkeys/offer",
        passkeys.offer,
        Caller.ANYBODY,
        "Get the challenge for signing in with a passkey.",
        answer=wire.PasskeySignInOptions,
        errors=(403,),
        problems=True,
    ),
    Route(
        "POST",
        "/api/passkeys/sign-in",
        passkeys.sign_in,
        Caller.ANYBODY,
        "Sign this browser in with a passkey.",
        body=wire.PasskeyAssertion,
        answer=wire.SignedIn,
        errors=(403, 422),
        problems=True,
    ),
    own(
        "POST /api/feed/ticket",
        passkeys.ticket,
        "Get the first frame for the feed of this browser.",
    ),
    Route(
        "POST",
        "/api/passkeys/sign-out",
        passkeys.sign_out,
        Caller.ANYBODY,
        "Sign this browser out.",
        headers=(CSRF,),
        status=204,
        errors=(403,),
        problems=True,
    ),
)
