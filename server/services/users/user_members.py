"""The fields of a user, one row each, from which bodies, responses, flags and forms are created.

To add a field, add a row here, a field to the record `User`, and a column.
Never: rules across fields (`users.py`).
"""

from typing import Final

from server.services import members
from server.services.members import Flag, FormField, Kind, Line, Member, Members
from server.services.users import user_checks as checks

USER_MEMBERS: Final[Members] = (
    Member(
        "name",
        Kind.TEXT,
        FormField("Name", forms=("new",)),
        Flag("--name", "Their name.", positional=True),
        Line("user"),
        required=True,
        immutable=True,
        max_length=64,
        check=checks.name,
    ),
    Member(
        "email",
        Kind.TEXT,
        FormField("Email address"),
        Flag(
            "--email",
            "Their email address, which also identifies them.",
            clear="Remove the email address.",
        ),
        Line("email"),
        check=checks.email,
        widens=members.is_set,
        audit_name=None,
    ),
    Member(
        "roles",
        Kind.CHOICES,
        FormField(
            "Roles",
            choices=(
                ("admin", "Administrator: full access"),
                ("auditor", "Auditor: read-only access to everything"),
            ),
        ),
        Flag("--role", "A role. Can be repeated.", clear="Remove every role."),
        Line("roles", empty="none"),
        default=(),
        check=checks.roles,
        widens=members.adds_values,
    ),
    Member(
        "backup",
        Kind.PERSON,
        FormField(
            "Backup",
            "Who is asked next. A name, email address or ID.",
            suggestions="users",
            forms=("change",),
        ),
        Flag(
            "--backup",
            "Who is asked next if they do not answer.",
            metavar="USER",
            clear="Remove the backup.",
        ),
        Line("backup", empty="none"),
        update_only=True,
        check=checks.backup,
        widens=members.is_set,
    ),
)
