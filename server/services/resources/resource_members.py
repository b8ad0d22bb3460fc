"""The fields of a resource, one row each, the source of bodies, responses, flags and forms.

To add a field, add a row here, a field to the record `Resource`, and a column.
Never: rules across fields; those are in `resources.py`.
"""

from collections.abc import Mapping
from typing import Final

from server.model.resources import Resource
from server.protocol.policy.risks import Risk
from server.services.members import (
    Flag,
    FormField,
    Kind,
    Line,
    Member,
    Members,
    never_widens,
    turns_on,
)
from server.services.resources import resource_checks as checks


def _lowers_risk(before: Mapping[str, Risk], after: Mapping[str, Risk]) -> bool:
    """Return whether a scope is new or has a lower risk."""
    return any(name not in before or risk.rank < before[name].rank for name, risk in after.items())


def loosens_requirements(before: Resource, after: Resource) -> bool:
    """Return whether a remaining scope requires a different action type, or no longer any."""
    return any(
        scope in after.scopes and after.requires.get(scope) != kind
        for scope, kind in before.requires.items()
    )


RESOURCE_MEMBERS: Final[Members] = (
    Member(
        "uri",
        Kind.URI,
        FormField("URI", "The audience of its tokens.", forms=("new",)),
        Flag("--uri", "The audience of its tokens.", positional=True),
        Line("uri"),
        required=True,
        immutable=True,
        max_length=2_000,
        check=checks.uri,
        audit_name=None,
    ),
    Member(
        "scopes",
        Kind.RISKS,
        FormField("Scopes", "One per line: its name, then low, medium, high or critical.", rows=4),
        Flag("--scope", "A scope and its risk: low, medium (default), high or critical."),
        Line("scopes", empty="none"),
        default={},
        widens=_lowers_risk,
    ),
    Member(
        "requires",
        Kind.NEEDS,
        FormField(
            "Required action types",
            "A scope, then the action type that requests for it must include.",
            suggestions="needs",
        ),
        Flag("--requires", "An action type that requests for the scope must include."),
        Line("requires", empty="none"),
        default={},
    ),
    Member(
        "token_seconds",
        Kind.NUMBER,
        FormField(
            "Token lifetime in seconds",
            "10 to 3600. Leave empty to use the agent's value or the server setting.",
        ),
        Flag(
            "--token-seconds",
            "Maximum lifetime of its tokens; 10 to 3600.",
            clear="Remove the lifetime limit.",
        ),
        Line("token life", "{} seconds"),
        check=checks.lifetime,
    ),
    Member(
        "default_scopes",
        Kind.NAMES,
        FormField(
            "Default scopes",
            "The scopes of a request that specifies none.",
            suggestions="own scopes",
        ),
        Flag(
            "--default-scope",
            "A scope for requests that specify none.",
            clear="Remove every default scope. Requests must then specify scopes.",
        ),
        Line("default scopes"),
        default=(),
        check=checks.default_scopes,
        widens=never_widens,
    ),
    Member(
        "unknown_clients",
        Kind.SWITCH,
        FormField(
            "Open to unregistered apps",
            "If the setting clients_unknown allows them. They cannot get critical scopes.",
        ),
        Flag("--unknown-clients", "Allow unregistered apps to ask for its scopes."),
        Line("open to", "unregistered apps"),
        default=False,
        widens=turns_on,
    ),
)
