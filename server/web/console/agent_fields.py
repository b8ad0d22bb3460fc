"""The fields of agents and of the invitations with which they register themselves."""

from typing import Final

from server.services.clients.agent_members import AGENT_MEMBERS, GRANTS, METHODS
from server.services.clients.invitations import SAFE_GRANTS
from server.web.console.member_fields import field_called, fields
from server.web.fields import Field

RESOURCES: Final = field_called(AGENT_MEMBERS, "resources")
SCOPES: Final = field_called(AGENT_MEMBERS, "scopes")
TYPES: Final = field_called(AGENT_MEMBERS, "action_types")

NEW_AGENT: Final = fields(AGENT_MEMBERS, "new")
CHANGED_AGENT: Final = fields(AGENT_MEMBERS, "change")
ICON: Final = (field_called(AGENT_MEMBERS, "icon"),)
OWNERS: Final = (
    Field("add_owners", "One more who answers for it", "lines", flag="--add-owner"),
    Field("remove_owners", "Who answers for it no more", "lines", flag="--remove-owner"),
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
