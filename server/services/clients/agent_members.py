"""The members of an agent, one row each; bodies, responses, flags and forms are made from them.

A new member is a row here, a field of the record `Agent` and a column.
Never: rules across members; those are in `agent_forms.py`.
"""

from typing import Final

from server.protocol import names
from server.protocol.clients.icons import LEAST_SIDE, MOST_SIDE
from server.services import members
from server.services.clients import agent_checks as checks
from server.services.members import Clear, Flag, FormField, Kind, Line, Member, Members

GRANTS: Final = (
    (names.GRANT_CIBA, "by asking people (CIBA)"),
    (names.GRANT_TOKEN_EXCHANGE, "by exchanging tokens that reach it"),
    (names.GRANT_CLIENT_CREDENTIALS, "by acting for itself (client credentials)"),
)
GRANT_WORDS: Final = (
    ("ciba", names.GRANT_CIBA),
    ("client_credentials", names.GRANT_CLIENT_CREDENTIALS),
    ("token_exchange", names.GRANT_TOKEN_EXCHANGE),
)
METHODS: Final = (
    ("client_secret_basic", "a secret, in the header"),
    ("client_secret_post", "a secret, in the form"),
    ("private_key_jwt", "a key of its own, which signs"),
)
ALGS: Final = tuple((alg, alg) for alg in names.SIGNING_ALGS)
DELIVERIES: Final = (
    ("poll", "when it asks (poll)"),
    ("ping", "by a call that says so (ping)"),
    ("push", "by a call that brings them (push)"),
)
REQUEST_ALGS: Final = (("", "it need not"), *((alg, f"with {alg}") for alg in names.CLIENT_ALGS))

_IS: Final = "What it is"
_PROVES: Final = "How it proves itself"
_MAY: Final = "What it may"
_ASKS: Final = "Asking, and hearing the answer"

AGENT_MEMBERS: Final[Members] = (
    Member(
        "name",
        Kind.TEXT,
        FormField("Name", "People read it on requests.", section=_IS),
        Flag("--name", "Its new name.", positional=True),
        Line("agent"),
        needed=True,
        longest=64,
        check=checks.name,
    ),
    Member(
        "description",
        Kind.TEXT,
        FormField("What it is for", section=_IS),
        Flag("--description", "What it is for; shown to approvers."),
        Line("description"),
        start="",
        longest=checks.MOST_DESCRIPTION,
        check=checks.description,
        fact=None,
    ),
    Member(
        "owners",
        Kind.PEOPLE,
        FormField("Owners", "People who answer for it.", section=_IS, mine=True, on=("new",)),
        Flag("--owner", "A user who owns it."),
        Line("owners", empty="none"),
        needed=True,
        final=True,
        check=checks.owners,
        widens=members.more,
        column=False,
    ),
    Member(
        "labels",
        Kind.NAMES,
        FormField(
            "Labels",
            "Words and key=value pairs, by which policy knows it.",
            section=_IS,
            page=Line("Labels"),
        ),
        Flag(
            "--label",
            "A word or key=value pair that policy rules can match.",
            metavar="K[=V]",
            clears=(Clear("--no-label", (), "Remove every label."),),
        ),
        Line("labels"),
        start=(),
        check=checks.label_list,
    ),
    Member(
        "external_id",
        Kind.TEXT,
        FormField(
            "What another system calls it", section=_IS, page=Line("External ID", empty="nothing")
        ),
        Flag(
            "--external-id",
            "Its ID in another system.",
            clears=(Clear("--no-external-id", None, "Remove the external ID."),),
        ),
        Line("external id"),
        longest=128,
        check=members.prose("The external id", 128),
        searched=True,
    ),
    Member(
        "review_at",
        Kind.MOMENT,
        FormField("Look at it again on", "The doctor reminds then; empty is never.", section=_IS),
        Flag(
            "--review",
            "When to review it: a date, or 90d.",
            metavar="WHEN",
            clears=(Clear("--no-review", None, "Remove the review date."),),
        ),
        Line("review"),
        check=checks.review_at,
        widens=members.later,
    ),
    Member(
        "expires_at",
        Kind.MOMENT,
        FormField("It ends on", "Nothing of it counts from then on; empty is never.", section=_IS),
        Flag(
            "--expires",
            "A date, a time, or a span such as 90d.",
            metavar="WHEN",
            clears=(Clear("--never-expires", None, "Remove the expiry."),),
        ),
        Line("expires", empty="never"),
        check=checks.expires_at,
        widens=members.later,
    ),
    Member(
        "interactive",
        Kind.SWITCH,
        FormField(
            "A person watches its screen", section=_IS, page=Line("Interactive", "yes", "no")
        ),
        Flag("--interactive", "Its user looks at its screen, where it shows a match number."),
        Line("screen", "shows a match number"),
        start=False,
    ),
    Member(
        "auth_method",
        Kind.CHOICE,
        FormField("It proves itself by", section=_PROVES, choices=METHODS, on=("new",)),
        Flag("--auth", "How it authenticates.", shows_start=True),
        Line("authenticates"),
        start=names.AUTH_METHODS[0],
        final=True,
    ),
    Member(
        "jwks",
        Kind.KEYS,
        FormField(
            "Its public keys",
            "A JWK set, for a key of its own and for signed requests. Nothing is fetched.",
            section=_PROVES,
            rows=4,
            on=("new",),
        ),
        Flag("--jwks", "Its public keys (JWK set)."),
        start=(),
        check=checks.keys,
        widens=members.more_keys,
        fact="keys",
        shown=False,
    ),
    Member(
        "dpop_bound",
        Kind.SWITCH,
        FormField("Its tokens are bound to its key (DPoP)", section=_PROVES),
        Flag("--dpop", "Its tokens must be bound to a key that it proves."),
        Line("tokens", "bound to its key by DPoP"),
        wire="dpop_bound_access_tokens",
        start=False,
        widens=members.turned_off,
    ),
    Member(
        "request_alg",
        Kind.CHOICE,
        FormField("It signs its requests", section=_PROVES, choices=REQUEST_ALGS),
        Flag(
            "--request-alg",
            "The algorithm it must sign requests with; default: unsigned is allowed.",
            clears=(Clear("--no-request-alg", None, "It need not sign its requests."),),
        ),
        Line("signs requests", empty="optional"),
        wire="backchannel_authentication_request_signing_alg",
        check=checks.or_none,
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
        check=checks.resource_uris,
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
                Clear("--no-action", (), "Remove every action type."),
                Clear("--any-action", None, "It may ask for every action type."),
            ),
        ),
        Line("actions", empty="every type"),
        check=checks.action_types,
        widens=members.more_or_all,
    ),
    Member(
        "only",
        Kind.LISTS,
        FormField(
            "Less at single resources",
            "A resource and the only scopes that it may have there, with spaces between.",
            section=_MAY,
        ),
        Flag(
            "--only",
            "Limit it to this scope at this resource; repeat for more scopes.",
            metavar="URI SCOPE",
            clears=(Clear("--no-only", {}, "Remove the limits at single resources."),),
        ),
        Line("only"),
        start={},
        check=checks.only,
    ),
    Member(
        "serves",
        Kind.NAMES,
        FormField(
            "Serves", "Resources whose tokens it may exchange.", section=_MAY, page=Line("Serves")
        ),
        Flag(
            "--serves",
            "A resource that it serves, so that it may exchange tokens for it.",
            metavar="URI",
            clears=(Clear("--no-serves", (), "It serves no resource."),),
        ),
        Line("serves", empty="none"),
        start=(),
        check=checks.serves,
        widens=members.more,
    ),
    Member(
        "grant_types",
        Kind.CHOICES,
        FormField("It gets tokens", section=_MAY, choices=GRANTS, page=Line("Grants")),
        Flag("--grant", "How it gets tokens; default: every grant.", words=GRANT_WORDS),
        Line("grants", empty="none"),
        start=names.AGENT_GRANTS,
        check=checks.grant_types,
        widens=members.more,
    ),
    Member(
        "token_seconds",
        Kind.NUMBER,
        FormField(
            "Its tokens live, in seconds",
            "10 to 3600; empty is as long as is usual.",
            section=_MAY,
            page=Line("Token lifetime", "{} s", "default"),
        ),
        Flag(
            "--token-seconds",
            "Maximum lifetime of its tokens; 10 to 3600.",
            clears=(Clear("--no-token-seconds", None, "Remove the lifetime limit."),),
        ),
        Line("token life", "{} seconds"),
        check=checks.token_seconds,
    ),
    Member(
        "high_grants",
        Kind.SWITCH,
        FormField(
            "People may give it standing grants at high risk",
            section=_MAY,
            page=Line("Standing grants at high risk", "allowed", "not allowed"),
        ),
        Flag("--high-grants", "People may give it standing grants at high risk."),
        Line("standing grants", "at high risk too"),
        start=False,
        widens=members.turned_on,
    ),
    Member(
        "asks",
        Kind.PEOPLE,
        FormField(
            "Whom it may ask",
            "People and groups.",
            section=_ASKS,
            every="It may ask everybody",
            mine=True,
        ),
        Flag(
            "--asks",
            "Who it may ask; default: everyone.",
            metavar="USER|GROUP",
            clears=(Clear("--asks-everybody", None, "It may ask every user."),),
        ),
        Line("may ask", empty="everyone"),
        check=checks.asks,
        widens=members.more_or_all,
    ),
    Member(
        "delivery",
        Kind.CHOICE,
        FormField("Answers reach it", section=_ASKS, choices=DELIVERIES),
        Flag("--delivery", "How it receives answers; default: poll."),
        Line("delivery"),
        start="poll",
    ),
    Member(
        "notification_endpoint",
        Kind.TEXT,
        FormField("Where it is called", "An https URL, for ping and push.", section=_ASKS),
        Flag("--notification-endpoint", "Its callback URL for ping or push; https.", metavar="URL"),
        Line("callback URL"),
        wire="backchannel_client_notification_endpoint",
        longest=2_000,
        check=checks.or_none,
    ),
    Member(
        "takes_user_code",
        Kind.SWITCH,
        FormField("It has to send the user codes of people", section=_ASKS),
        Flag("--user-code", "It asks people for their user codes and sends them."),
        Line("user codes", "sends them"),
        wire="backchannel_user_code_parameter",
        start=False,
        widens=members.turned_off,
    ),
    Member(
        "id_token_alg",
        Kind.CHOICE,
        FormField("Its ID tokens are signed with", section=_ASKS, choices=ALGS),
        Flag("--id-token-alg", "How its ID tokens are signed; default: ES256."),
        Line("id tokens"),
        wire="id_token_signed_response_alg",
        start="ES256",
        fact=None,
    ),
    Member(
        "icon",
        Kind.ICON,
        FormField(
            "Its icon",
            f"A still, square PNG or WebP of {LEAST_SIDE} to {MOST_SIDE} pixels and at most 32 kB. "
            "Its name stands beside it everywhere.",
            on=(),
        ),
        Flag(
            "--icon",
            "Its icon: a square PNG or WebP of at most 32 kB.",
            clears=(Clear("--no-icon", None, "Remove its icon; its initial is shown instead."),),
        ),
        Line("icon"),
        check=checks.icon,
    ),
)
