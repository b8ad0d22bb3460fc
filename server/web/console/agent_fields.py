"""The form fields of agents and invitations."""

from typing import Final

from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.clients.client_members import METHODS
from server.services.clients.invitations import SAFE_GRANTS
from server.web.console.member_fields import field_named, fields
from server.web.fields import Field

RESOURCES: Final = field_named(AGENT_MEMBERS, "resources")
GRANTS: Final = field_named(AGENT_MEMBERS, "grant_types")
SCOPES: Final = field_named(AGENT_MEMBERS, "scopes")
TYPES: Final = field_named(AGENT_MEMBERS, "action_types")

NEW_AGENT: Final = fields(AGENT_MEMBERS, "new")
CHANGED_AGENT: Final = fields(AGENT_MEMBERS, "change")
ICON: Final = (field_named(AGENT_MEMBERS, "icon"),)
OWNERS: Final = (
    Field("add_owners", "Add an owner", "known", suggestions="users"),
    Field("remove_owners", "Remove owners", "lines"),
)
AUTH: Final = (
    Field("method", "Authentication", "choice", choices=METHODS, default="private_key_jwt"),
    Field(
        "jwks",
        "Public keys",
        "json",
        "A JWK set, for private_key_jwt. If empty, its keys stay. URLs are not fetched.",
        rows=6,
    ),
    Field("overlap", "Old method keeps working for", "overlap", default=86_400, empty=86_400),
)
NEW_INVITATION: Final = (
    Field(
        "owner",
        "Owner",
        "text",
        "The owner of agents that register.",
        required=True,
        defaults_to_user=True,
        suggestions="users",
    ),
    RESOURCES,
    SCOPES,
    TYPES,
    Field("grant_types", "Grant types", "picks", choices=GRANTS.choices, default=SAFE_GRANTS),
    Field(
        "asks",
        "Can ask",
        "known",
        "Users and groups. If empty, only the owner.",
        suggestions="people",
    ),
    Field("asks_everybody", "Can ask everyone", "box"),
    Field("uses", "Max agents", "number", default=1, empty=1),
    Field("expires_at", "Expires on", "day", "Within 90 days. If empty, in 7 days."),
)
