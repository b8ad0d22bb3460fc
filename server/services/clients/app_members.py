"""The fields of an app, one row each, from which bodies, responses, flags and forms are created.

To add a field, add a row here, a field to the record `App`, and a column.
Never: rules across fields; those are in `app_forms.py`.
"""

from typing import Final

from server.protocol import names
from server.services import members
from server.services.clients import client_members
from server.services.clients.client_members import METHODS
from server.services.members import Flag, FormField, Kind, Line, Member, Members

APP_METHODS: Final = (*METHODS, (names.AUTH_NONE, "none: a public app with PKCE"))


_GENERAL: Final = members.in_section(
    "General",
    client_members.name("app", "Shown when users sign in."),
    Member(
        "redirect_uris",
        Kind.NAMES,
        FormField("Redirect URIs", "One per line, exactly as the app sends it.", first=True),
        Flag(
            "--redirect-uri",
            "A redirect URI. It must match exactly, except for the port of a loopback URI.",
        ),
        Line("redirect URIs", empty="none"),
        default=(),
        check=members.unique,
        widens=members.adds_values,
    ),
    Member(
        "post_logout_redirect_uris",
        Kind.NAMES,
        FormField("Post-logout redirect URIs", "One per line."),
        Flag(
            "--post-logout-redirect-uri",
            "A redirect URI for use after sign-out.",
            clear="Remove every post-logout redirect URI.",
        ),
        Line("after sign-out", empty="none"),
        default=(),
        check=members.unique,
        widens=members.adds_values,
    ),
)
_AUTHENTICATION: Final = members.in_section(
    "Authentication",
    client_members.auth_method(
        APP_METHODS,
        names.APP_AUTH_METHODS[0],
        "How it authenticates; none for a public client.",
    ),
    client_members.jwks("A JWK set, for private_key_jwt. URLs are not fetched."),
    client_members.dpop_bound(
        "--dpop-bound", Line("tokens", "bound to its key", "bound to its key if it proves one")
    ),
    Member(
        "requires_par",
        Kind.SWITCH,
        FormField("Require pushed authorization requests (PAR)"),
        Flag("--require-par", "Refuse authorization requests that it did not push (PAR)."),
        Line("requests", "must be pushed"),
        wire="require_pushed_authorization_requests",
        default=False,
        widens=members.turned_off,
    ),
    client_members.ID_TOKEN_ALG,
)
_PERMISSIONS: Final = members.in_section(
    "Permissions",
    client_members.RESOURCES,
    client_members.SCOPES,
    client_members.ACTION_TYPES,
    client_members.grant_types(
        names.APP_GRANT_TYPES,
        FormField("Grant types"),
        "A grant type it can use; default: authorization_code and refresh_token.",
        names.USUAL_APP_GRANTS,
    ),
)
APP_MEMBERS: Final[Members] = (*_GENERAL, *_AUTHENTICATION, *_PERMISSIONS)
