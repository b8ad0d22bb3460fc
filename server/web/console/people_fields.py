"""The form fields of users and groups."""

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
    Field("backup", "Backup", hint="Who is asked next. A name, email address or id."),
)
GROUP: Final = (
    Field("name", "Name", needed=True, longest=64, hint="Used in rules and permissions."),
    Field("members", "Members", "lines", "Users, by name, email address or id.", rows=4),
)
