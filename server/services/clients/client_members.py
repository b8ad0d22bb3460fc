"""The fields that agents and apps share, one row each.

Never: a field that only one of them has; that is in `agent_members.py` or `app_members.py`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from server.protocol import names
from server.services import members
from server.services.clients import agent_checks as checks
from server.services.members import Check, Clear, Flag, FormField, Kind, Line, Member

Choices: TypeAlias = tuple[tuple[str, str], ...]
"""The value and the label of each option."""

METHODS: Final = (
    ("client_secret_basic", "client secret, in the Authorization header"),
    ("client_secret_post", "client secret, in the request body"),
    ("private_key_jwt", "private key, which signs a JWT"),
)


def name(line: str, hint: str) -> Member:
    """Return the member for the name; `line` labels it in output."""
    return Member(
        "name",
        Kind.TEXT,
        FormField("Name", hint, first=True),
        Flag("--name", "The new name.", positional=True),
        Line(line),
        required=True,
        max_length=64,
        check=checks.name,
    )


def auth_method(choices: Choices, default_method: str, help_text: str) -> Member:
    """Return the member for the authentication method."""
    return Member(
        "auth_method",
        Kind.CHOICE,
        FormField("Authentication method", choices=choices, forms=("new",)),
        Flag("--auth", help_text, shows_default=True),
        Line("authenticates"),
        default=default_method,
        immutable=True,
    )


def jwks(hint: str) -> Member:
    """Return the member for the public keys."""
    return Member(
        "jwks",
        Kind.KEYS,
        FormField("Public keys", hint, rows=4, forms=("new",)),
        Flag("--jwks", "Its public keys (JWK set)."),
        default=(),
        check=checks.keys,
        widens=members.more_keys,
        audit_name="keys",
        in_responses=False,
    )


def dpop_bound(flag: str, line: Line) -> Member:
    """Return the member that says whether tokens are bound to the client's key."""
    return Member(
        "dpop_bound",
        Kind.SWITCH,
        FormField("Bind tokens to its key (DPoP)"),
        Flag(flag, "Bind its tokens to its key (DPoP)."),
        line,
        wire="dpop_bound_access_tokens",
        default=False,
        widens=members.turned_off,
    )


ID_TOKEN_ALG: Final = Member(
    "id_token_alg",
    Kind.CHOICE,
    FormField(
        "Signing algorithm of ID tokens", choices=tuple((alg, alg) for alg in names.SIGNING_ALGS)
    ),
    Flag("--id-token-alg", "Signing algorithm of its ID tokens; default: ES256."),
    Line("ID tokens"),
    wire="id_token_signed_response_alg",
    default="ES256",
    audit_name=None,
)
"""The signing algorithm of ID tokens."""


def _permission(name: str, label: str, flag: str, noun: str, check: Check) -> Member:
    """Return the member for a list of permissions."""
    return Member(
        name,
        Kind.NAMES,
        FormField(label, suggestions=name, first=True),
        Flag(flag, f"A {noun} it can request.", clear=f"Remove every {flag[2:]}."),
        Line(name, empty="none"),
        default=(),
        check=check,
        widens=members.adds_values,
    )


RESOURCES: Final = _permission("resources", "Resources", "--resource", "URI", checks.resource_uris)
SCOPES: Final = _permission("scopes", "Scopes", "--scope", "scope", members.unique)
ACTION_TYPES: Final = Member(
    "action_types",
    Kind.NAMES,
    FormField("Action types", all_label="All action types", suggestions="actions"),
    Flag(
        "--action",
        "An action type it can request; default: all.",
        metavar="TYPE",
        clears=(
            Clear("--no-action", (), "Allow no action types."),
            Clear("--any-action", None, "Allow every action type."),
        ),
    ),
    Line("actions", empty="every type"),
    check=checks.action_types,
    widens=members.adds_values_or_all,
)


def grant_types(
    grants: Sequence[names.GrantType],
    field: FormField,
    help_text: str,
    default_grants: Sequence[str],
) -> Member:
    """Return the member for the grant types."""
    choices = tuple((grant.name, grant.label) for grant in grants)
    return Member(
        "grant_types",
        Kind.CHOICES,
        replace(field, choices=choices),
        Flag("--grant", help_text, aliases=tuple((grant.word, grant.name) for grant in grants)),
        Line("grants", empty="none"),
        default=default_grants,
        check=checks.grant_types,
        widens=members.adds_values,
    )
