"""The fields of people, and of groups of them."""

from typing import Final

from server.web.fields import Field

_EMAIL: Final = Field("email", "Email address")
_ROLES: Final = Field(
    "roles",
    "Roles",
    "picks",
    choices=(
        ("admin", "Administrator: may do everything"),
        ("auditor", "Auditor: may read everything"),
    ),
)
NEW_USER: Final = (Field("name", "Name", needed=True, longest=64), _EMAIL, _ROLES)
CHANGED_USER: Final = (
    _ROLES,
    _EMAIL,
    Field("backup", "Who is asked too when time runs out", hint="A name, an address or an id."),
)
GROUP: Final = (
    Field("name", "Name", needed=True, longest=64, hint="Rules and agents name it so."),
    Field("members", "Members", "lines", "People, by name, address or id.", rows=4),
)
