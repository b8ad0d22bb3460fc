"""The fields of an agent, one row each, from which bodies, responses, flags and forms are created.

To add a field, add a row here, a field to the record `Agent`, and a column.
Never: rules across fields; those are in `agent_forms.py`.
"""

from typing import Final

from server.protocol import names
from server.protocol.clients.icons import MAX_SIDE, MIN_SIDE
from server.services import members
from server.services.clients import agent_checks as checks
from server.services.clients import client_members
from server.services.clients.client_members import METHODS
from server.services.members import Clear, Flag, FormField, Kind, Line, Member, Members

DELIVERIES: Final = (
    ("poll", "poll: the agent asks for the result"),
    ("ping", "ping: Sayso notifies the agent, which then polls"),
    ("push", "push: Sayso sends the tokens to the agent"),
)
REQUEST_ALGS: Final = (
    ("", "not required"),
    *((alg, f"required, with {alg}") for alg in names.CLIENT_ALGS),
)

_GENERAL: Final = members.in_section(
    "General",
    client_members.name("agent", "Shown on requests."),
    Member(
        "description",
        Kind.TEXT,
        FormField("Description"),
        Flag("--description", "What it is for; shown to approvers."),
        Line("description"),
        default="",
        max_length=checks.MAX_DESCRIPTION,
        check=checks.description,
        audit_name=None,
    ),
    Member(
        "owners",
        Kind.PEOPLE,
        FormField(
            "Owners",
            "Users who are responsible for the agent.",
            defaults_to_user=True,
            suggestions="users",
            first=True,
            forms=("new",),
        ),
        Flag("--owner", "A user who owns it."),
        Line("owners", empty="none"),
        required=True,
        immutable=True,
        check=checks.owners,
        widens=members.adds_values,
        has_column=False,
    ),
    Member(
        "labels",
        Kind.NAMES,
        FormField(
            "Labels",
            "Words and key=value pairs that policy rules can match, one per line.",
            page=Line("Labels"),
        ),
        Flag(
            "--label",
            "A word or key=value pair that policy rules can match.",
            metavar="K[=V]",
            clear="Remove every label.",
        ),
        Line("labels"),
        default=(),
        check=checks.label_list,
    ),
    Member(
        "external_id",
        Kind.TEXT,
        FormField("External ID", page=Line("External ID", empty="nothing")),
        Flag("--external-id", "Its ID in another system.", clear="Remove the external ID."),
        Line("external ID"),
        max_length=128,
        check=members.prose("The external ID", 128),
        filterable=True,
    ),
    Member(
        "review_at",
        Kind.MOMENT,
        FormField(
            "Review date",
            "sayso doctor reminds you on this date. Leave empty for no reminder.",
        ),
        Flag(
            "--review",
            "The review date: a date, or a duration such as 90d.",
            metavar="WHEN",
            clear="Remove the review date.",
        ),
        Line("review"),
        check=checks.review_at,
        widens=members.later,
    ),
    Member(
        "expires_at",
        Kind.MOMENT,
        FormField("Expires on", "The agent stops working on this date. Leave empty for no expiry."),
        Flag(
            "--expires",
            "A date, a time, or a duration such as 90d.",
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
            "Interactive: the user sees the agent's screen",
            page=Line("Interactive", "yes", "no"),
        ),
        Flag("--interactive", "The user sees the agent's screen, which shows a match number."),
        Line("screen", "shows a match number"),
        default=False,
    ),
)
_AUTHENTICATION: Final = members.in_section(
    "Authentication",
    client_members.auth_method(METHODS, names.AUTH_METHODS[0], "How it authenticates."),
    client_members.jwks(
        "A JWK set, for private_key_jwt and signed requests. URLs are not fetched."
    ),
    client_members.dpop_bound("--dpop", Line("tokens", "bound to its key by DPoP")),
    Member(
        "request_alg",
        Kind.CHOICE,
        FormField("Signed requests", choices=REQUEST_ALGS),
        Flag(
            "--request-alg",
            "Require requests signed with this algorithm; default: signing is optional.",
            clear="Do not require signed requests.",
        ),
        Line("signs requests", empty="optional"),
        wire="backchannel_authentication_request_signing_alg",
        check=checks.or_none,
    ),
)
_PERMISSIONS: Final = members.in_section(
    "Permissions",
    client_members.RESOURCES,
    client_members.SCOPES,
    client_members.ACTION_TYPES,
    Member(
        "only",
        Kind.LISTS,
        FormField(
            "Scope limits by resource",
            "A resource and a scope. At that resource, the agent can use only the listed scopes.",
            suggestions="limits",
        ),
        Flag(
            "--only",
            "Limit it to this scope at this resource; repeat for more scopes.",
            metavar="URI SCOPE",
            clear="Remove every limit to scopes at a resource.",
        ),
        Line("only"),
        default={},
        check=checks.only,
    ),
    Member(
        "serves",
        Kind.NAMES,
        FormField(
            "Serves",
            "Resources for which the agent is the API server.",
            suggestions="resources",
            page=Line("Serves"),
        ),
        Flag(
            "--serves",
            "A resource for which it is the API server. It can do what the resource's "
            "credential can.",
            metavar="URI",
            clear="Remove every served resource.",
        ),
        Line("serves", empty="none"),
        default=(),
        check=checks.serves,
        widens=members.adds_values,
    ),
    client_members.grant_types(
        names.AGENT_GRANT_TYPES,
        FormField("Grant types", page=Line("Grants")),
        "A grant type it can use; default: all.",
        names.AGENT_GRANTS,
    ),
    Member(
        "token_seconds",
        Kind.NUMBER,
        FormField(
            "Token lifetime in seconds",
            "10 to 3600. Leave empty to use the server setting.",
            page=Line("Token lifetime", "{} s", "default"),
        ),
        Flag(
            "--token-seconds",
            "Maximum lifetime of its tokens; 10 to 3600.",
            clear="Remove the lifetime limit.",
        ),
        Line("token life", "{} seconds"),
        check=checks.token_seconds,
    ),
    Member(
        "high_grants",
        Kind.SWITCH,
        FormField(
            "Allow standing grants at high risk",
            page=Line("Standing grants at high risk", "allowed", "not allowed"),
        ),
        Flag("--high-grants", "Allow standing grants at high risk."),
        Line("standing grants", "including high risk"),
        default=False,
        widens=members.turns_on,
    ),
)
_REQUESTS: Final = members.in_section(
    "Approval requests",
    Member(
        "asks",
        Kind.PEOPLE,
        FormField(
            "Can ask",
            "Users and groups.",
            all_label="Everyone",
            defaults_to_user=True,
            suggestions="people",
        ),
        Flag(
            "--asks",
            "A user or group it can ask; default: everyone.",
            metavar="USER|GROUP",
            clears=(Clear("--asks-everybody", None, "Let it ask every user."),),
        ),
        Line("may ask", empty="everyone"),
        check=checks.asks,
        widens=members.adds_values_or_all,
    ),
    Member(
        "delivery",
        Kind.CHOICE,
        FormField("Delivery mode", choices=DELIVERIES),
        Flag("--delivery", "How it receives results; default: poll."),
        Line("delivery"),
        default="poll",
    ),
    Member(
        "notification_endpoint",
        Kind.TEXT,
        FormField("Notification endpoint", "An https URL, for ping and push."),
        Flag(
            "--notification-endpoint", "Its callback URL for ping or push (https).", metavar="URL"
        ),
        Line("callback URL"),
        wire="backchannel_client_notification_endpoint",
        max_length=2_000,
        check=checks.or_none,
    ),
    Member(
        "takes_user_code",
        Kind.SWITCH,
        FormField("Require user codes"),
        Flag("--user-code", "Require the user codes of the people it asks."),
        Line("user codes", "required"),
        wire="backchannel_user_code_parameter",
        default=False,
        widens=members.turned_off,
    ),
    client_members.ID_TOKEN_ALG,
)
_ICON: Final = Member(
    "icon",
    Kind.ICON,
    FormField(
        "Icon",
        f"A still, square PNG or WebP of {MIN_SIDE} to {MAX_SIDE} pixels and at most 32 kB. "
        "The name is always shown next to it.",
        forms=(),
    ),
    Flag(
        "--icon",
        "Its icon: a square PNG or WebP of at most 32 kB.",
        clear="Remove the icon. The initial is shown instead.",
    ),
    Line("icon"),
    check=checks.icon,
)
AGENT_MEMBERS: Final[Members] = (*_GENERAL, *_AUTHENTICATION, *_PERMISSIONS, *_REQUESTS, _ICON)
