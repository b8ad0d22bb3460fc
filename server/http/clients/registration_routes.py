"""Routes of dynamic client registration."""

from typing import Final

from server.http import oauth_wire
from server.http.clients import registration
from server.http.route import Caller, Route

_ID = "/register/<id>"

REGISTRATION_ROUTES: Final = (
    Route(
        "POST",
        "/register",
        registration.register,
        Caller.CLIENT,
        "Register an agent with an invitation, or an app that has redirect URIs (RFC 7591).",
        body=oauth_wire.ClientMetadata,
        answer=oauth_wire.ClientInformation,
        status=201,
        errors=(400, 401, 503),
    ),
    Route(
        "GET",
        _ID,
        registration.show,
        Caller.CLIENT,
        "Get the registration of an agent (RFC 7592).",
        answer=oauth_wire.ClientInformation,
        errors=(401, 503),
    ),
    Route(
        "PUT",
        _ID,
        registration.replace,
        Caller.CLIENT,
        "Change the registration of an agent.",
        body=oauth_wire.ClientUpdate,
        answer=oauth_wire.ClientInformation,
        errors=(400, 401, 503),
    ),
    Route(
        "DELETE",
        _ID,
        registration.delete,
        Caller.CLIENT,
        "Delete the registration of an agent.",
        status=204,
        errors=(401, 503),
    ),
)
