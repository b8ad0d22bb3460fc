"""The members of an app, one row each; bodies, responses, flags and forms are made from them.

A new member is a row here, a field of the record `App` and a column.
Never: rules across members; those are in `app_forms.py`.
"""

from typing import Final

from server.protocol import names
from server.services import members
from server.services.clients import agent_checks
from server.services.clients.agent_members import ALGS, METHODS
from server.services.members import Clear, Flag, FormField, Kind, Line, Member, Members

APP_GRANTS: Final = (
    (names.GRANT_AUTHORIZATION_CODE, "sending people here (authorization code)"),
    (names.GRANT_REFRESH_TOKEN, "refreshing those it has"),
    (names.GRANT_DEVICE_CODE, "a code typed on another device"),
)
APP_GRANT_WORDS: Final = (
    (names.GRANT_AUTHORIZATION_CODE, names.GRANT_AUTHORIZATION_CODE),
    (names.GRANT_REFRESH_TOKEN, names.GRANT_REFRESH_TOKEN),
    ("device_code", names.GRANT_DEVICE_CODE),
)
APP_METHODS: Final = (*METHODS, (names.AUTH_NONE, "nothing: a public app, which uses PKCE"))

_IS: Final = "What it is"
_PROVES: Final = "How it proves itself"
_MAY: Final = "What it may"

APP_MEMBERS: Final[Members] = (
    Member(
        "name",
        Kind.TEXT,
        FormField("Name", "People read it as they sign in.", section=_IS),
        Flag("--name", "Its new name.", positional=True),
        Line("app"),
        needed=True,
        longest=64,
        check=agent_checks.name,
    ),
    Member(
        "redirect_uris",
        Kind.NAMES,
        FormField(
            "Where people come back to",
            "Redirect URIs, each exactly as the app sends it.",
            section=_IS,
        ),
        Flag("--redirect-uri", "A redirect URI, matched exactly; on the loopback any port."),
        Line("redirect URIs", empty="none"),
        start=(),
        check=members.unique,
        widens=members.more,
    ),
    Member(
        "post_logout_redirect_uris",
        Kind.NAMES,
        FormField("Where they come back to signed out", section=_IS),
        Flag(
            "--post-logout-redirect-uri",
            "A redirect URI for after people sign out.",
            clears=(
                Clear(
                    "--no-post-logout-redirect-uri",
                    (),
                    "Remove every redirect URI for after sign-out.",
                ),
            ),
        ),
        Line("after sign-out", empty="none"),
        start=(),
        check=members.unique,
        widens=members.more,
    ),
    Member(
        "auth_method",
        Kind.CHOICE,
        FormField("It proves itself by", section=_PROVES, choices=APP_METHODS, on=("new",)),
        Flag("--auth", "How it authenticates; none for a public client.", shows_start=True),
        Line("authenticates"),
        start=names.APP_AUTH_METHODS[0],
        final=True,
    ),
    Member(
        "jwks",
        Kind.KEYS,
        FormField(
            "Its public keys",
            "A JWK set, for a key of its own.",
            section=_PROVES,
            rows=4,
            on=("new",),
        ),
        Flag("--jwks", "Its public keys (JWK set)."),
        start=(),
        check=agent_checks.keys,
        widens=members.more_keys,
        fact="keys",
        shown=False,
    ),
    Member(
        "dpop_bound",
        Kind.SWITCH,
        FormField("Its tokens are bound to its key (DPoP)", section=_PROVES),
        Flag("--dpop-bound", "Its tokens must be bound to a key that it proves."),
        Line("tokens", "bound to its key", "bound to its key if it proves one"),
        wire="dpop_bound_access_tokens",
        start=False,
        widens=members.turned_off,
    ),
    Member(
        "id_token_alg",
        Kind.CHOICE,
        FormField("Its ID tokens are signed with", section=_PROVES, choices=ALGS),
        Flag("--id-token-alg", "How its ID tokens are signed; default: ES256."),
        Line("id tokens"),
        wire="id_token_signed_response_alg",
        start="ES256",
        fact=None,
    ),
    Member(
        "resources",
        Kind.NAMES,
        FormField("Resources that it may reach", section=_MAY, known="resources"),
        Flag(
            "--resource",
            "A URI it may ask for.",
            clears=(Clear("--no-resource", (), "Remove every resource."),),
        ),
        Line("resources", empty="none"),
        start=(),
        check=agent_checks.resource_uris,
        widens=members.more,
    ),
    Member(
        "scopes",
        Kind.NAMES,
        FormField("Scopes", section=_MAY, known="scopes"),
        Flag(
            "--scope",
            "A scope it may ask for.",
            clears=(Clear("--no-scope", (), "Remove every scope."),),
        ),
        Line("scopes", empty="none"),
        start=(),
        check=members.unique,
        widens=members.more,
    ),
    Member(
        "action_types",
        Kind.NAMES,
        FormField("Action types", section=_MAY, every="It may ask for every action type"),
        Flag(
            "--action",
            "An action type it may ask for; default: all.",
            metavar="TYPE",
            clears=(
                Clear("--no-action", (), "It may ask for no action type."),
                Clear("--any-action", None, "It may ask for every action type."),
            ),
        ),
        Line("actions", empty="every type"),
        check=agent_checks.action_types,
        widens=members.more_or_all,
    ),
    Member(
        "grant_types",
        Kind.CHOICES,
        FormField("It gets tokens by", section=_MAY, choices=APP_GRANTS),
        Flag(
            "--grant", "How it gets tokens; default: code and refresh token.", words=APP_GRANT_WORDS
        ),
        Line("grants", empty="none"),
        start=names.USUAL_APP_GRANTS,
        check=agent_checks.grant_types,
        widens=members.more,
    ),
)
