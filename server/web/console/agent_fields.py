"""The fields of agents and of the invitations with which they register themselves."""

from dataclasses import replace
from typing import Final

from server.protocol import names
from server.services.agent_forms import MOST_DESCRIPTION
from server.services.invitations import SAFE_GRANTS
from server.services.reviews import MOST_EXTERNAL_ID
from server.web.console.fields import Field

GRANTS: Final = (
    (names.GRANT_CIBA, "by asking people (CIBA)"),
    (names.GRANT_TOKEN_EXCHANGE, "by exchanging tokens that reach it"),
    (names.GRANT_CLIENT_CREDENTIALS, "by acting for itself (client credentials)"),
)
METHODS: Final = (
    ("client_secret_basic", "a secret, in the header"),
    ("client_secret_post", "a secret, in the form"),
    ("private_key_jwt", "a key of its own, which signs"),
)
ALGS: Final = tuple((alg, alg) for alg in names.SIGNING_ALGS)

RESOURCES: Final = Field(
    "resources", "Resources that it may reach", "lines", known="resources", flag="--resource"
)
SCOPES: Final = Field("scopes", "Scopes", "lines", known="scopes", flag="--scope")
TYPES: Final = Field(
    "action_types",
    "Action types",
    "lines",
    every="It may ask for every action type",
    flag="--action",
)

_NAME: Final = Field(
    "name",
    "Name",
    section="What it is",
    needed=True,
    longest=64,
    hint="People read it on requests.",
)
_WHY: Final = Field("description", "What it is for", longest=MOST_DESCRIPTION, empty="")
_IS: Final = (
    Field("labels", "Labels", "lines", "Words and key=value pairs, by which policy knows it."),
    Field("external_id", "What another system calls it", longest=MOST_EXTERNAL_ID),
    Field("review_at", "Look at it again on", "day", "The doctor reminds then; empty is never."),
    Field("expires_at", "It ends on", "day", "Nothing of it counts from then on; empty is never."),
    Field("interactive", "A person watches its screen", "box"),
)
_BOUND: Final = (
    Field(
        "dpop_bound_access_tokens", "Its tokens are bound to its key (DPoP)", "box", flag="--dpop"
    ),
    Field(
        "backchannel_authentication_request_signing_alg",
        "It signs its requests",
        "choice",
        choices=(("", "it need not"), *((alg, f"with {alg}") for alg in names.CLIENT_ALGS)),
    ),
)
_MAY: Final = (
    Field(
        "only",
        "Less at single resources",
        "lists",
        "A resource and the only scopes that it may have there, with spaces between.",
        empty={},
    ),
    Field("serves", "Serves", "lines", "Resources whose tokens it may exchange.", flag="--serves"),
    Field(
        "grant_types",
        "It gets tokens",
        "picks",
        choices=GRANTS,
        start=names.AGENT_GRANTS,
        flag="--grant",
    ),
    Field(
        "token_seconds",
        "Its tokens live, in seconds",
        "number",
        "10 to 3600; empty is as long as is usual.",
        flag="--token-seconds",
    ),
    Field("high_grants", "People may give it standing grants at high risk", "box"),
)
_ASKS: Final = (
    Field(
        "asks",
        "Whom it may ask",
        "lines",
        "People and groups.",
        section="Asking, and hearing the answer",
        every="It may ask everybody",
        mine=True,
        flag="--asks",
    ),
    Field(
        "delivery",
        "Answers reach it",
        "choice",
        choices=(
            ("poll", "when it asks (poll)"),
            ("ping", "by a call that says so (ping)"),
            ("push", "by a call that brings them (push)"),
        ),
        flag="--delivery",
    ),
    Field(
        "backchannel_client_notification_endpoint",
        "Where it is called",
        longest=2_000,
        hint="An https URL, for ping and push.",
        flag="--notification-endpoint",
    ),
    Field("backchannel_user_code_parameter", "It has to send the user codes of people", "box"),
    Field("id_token_signed_response_alg", "Its ID tokens are signed with", "choice", choices=ALGS),
)

NEW_AGENT: Final = (
    _NAME,
    _WHY,
    Field("owners", "Owners", "lines", "People who answer for it.", needed=True, mine=True),
    *_IS,
    Field(
        "auth_method",
        "It proves itself by",
        "choice",
        section="How it proves itself",
        choices=METHODS,
        start="client_secret_basic",
        flag="--auth",
    ),
    Field(
        "jwks",
        "Its public keys",
        "json",
        "A JWK set, for a key of its own and for signed requests. Nothing is fetched.",
        rows=4,
        flag="--jwks FILE",
    ),
    *_BOUND,
    replace(RESOURCES, section="What it may"),
    SCOPES,
    TYPES,
    *_MAY,
    *_ASKS,
)
CHANGED_AGENT: Final = (
    _NAME,
    _WHY,
    *_IS,
    replace(RESOURCES, section="What it may"),
    SCOPES,
    TYPES,
    *_MAY,
    *_BOUND,
    *_ASKS,
)
OWNERS: Final = (
    Field("add_owners", "One more who answers for it", "lines", flag="--add-owner"),
    Field("remove_owners", "Who answers for it no more", "lines", flag="--remove-owner"),
)
ICON: Final = (
    Field(
        "icon",
        "Its icon",
        "icon",
        "A still, square PNG or WebP of 16 to 512 pixels and at most 32 kB. Its name stands beside "
        "it everywhere.",
        flag="--icon FILE",
    ),
)
AUTH: Final = (
    Field("method", "It proves itself by", "choice", choices=METHODS, start="private_key_jwt"),
    Field(
        "jwks",
        "Its public keys",
        "json",
        "A JWK set, where it is to sign; empty keeps those that it has. Nothing is fetched.",
        rows=6,
        flag="--jwks FILE",
    ),
    Field(
        "overlap",
        "Seconds for which the old way counts too",
        "number",
        "86400 is a day, 2592000 the most, 0 ends it at once.",
        start=86_400,
        empty=86_400,
    ),
)
NEW_INVITATION: Final = (
    Field("owner", "Owner", "text", "Who answers for what registers.", needed=True, mine=True),
    RESOURCES,
    SCOPES,
    TYPES,
    Field("grant_types", "It gets tokens", "picks", choices=GRANTS, start=SAFE_GRANTS),
    Field("asks", "Whom it may ask", "lines", "People and groups; empty is the owner alone."),
    Field("asks_everybody", "It may ask everybody", "box"),
    Field("uses", "How many agents may register with it", "number", start=1, empty=1),
    Field("expires_at", "It ends on", "day", "Within 90 days; empty is in seven."),
)
