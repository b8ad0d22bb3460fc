"""The rows about passkeys. Whoever calls is a page of ours; `cookies.py` sees to it."""

from typing import Final

from server.http import passkey_wire as wire
from server.http.cookies import CSRF
from server.http.endpoints import passkeys
from server.http.route import Caller, Route

PASSKEY_ROUTES: Final = (
    Route(
        "POST",
        "/api/passkeys/options",
        passkeys.prepare,
        Caller.ANYBODY,
        "What a browser is told to make a passkey, by a one-time code.",
        body=wire.CodeToMake,
        answer=wire.Creation,
        errors=(403, 422),
        problems=True,
    ),
    Route(
        "POST",
        "/api/passkeys",
        passkeys.register,
        Caller.ANYBODY,
        "Make a passkey a device of mine, by a one-time code.",
        body=wire.MadePasskey,
        answer=wire.Enrolled,
        status=201,
        errors=(403, 409, 422),
        problems=True,
    ),
    Route(
        "POST",
        "/api/passkeys/offer",
        passkeys.offer,
        Caller.ANYBODY,
        "What a browser signs to sign in.",
        answer=wire.PasskeyOffer,
        errors=(403,),
        problems=True,
    ),
    Route(
        "POST",
        "/api/passkeys/sign-in",
        passkeys.sign_in,
        Caller.ANYBODY,
        "Sign this browser in with a passkey.",
        body=wire.Word,
        answer=wire.SignedIn,
        errors=(403, 422),
        problems=True,
    ),
    Route(
        "POST",
        "/api/feed/ticket",
        passkeys.ticket,
        Caller.PERSON,
        "What a page says first on the feed's socket.",
        answer=wire.FeedTicket,
        errors=(401, 403),
        browsers=True,
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
