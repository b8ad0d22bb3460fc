"""Defines each field of a group once. Request bodies, responses, flags and forms derive from it.

Never: rules that concern several fields, which are in `groups.py`.
"""

from collections.abc import Sequence
from typing import Final

from server.model.store import Unit
from server.services import members
from server.services.members import Flag, FormField, Kind, Line, Member, Members
from server.services.refusals import Invalid
from server.services.users import user_checks

MAX_MEMBERS: Final = 200


def resolve_user_ids(tx: Unit, names_or_ids: Sequence[str]) -> tuple[str, ...]:
    """Return the IDs of these users. Raises `NotFound`, or `Invalid` if there are too many."""
    user_ids = tuple(sorted({user_checks.find(tx, name_or_id).id for name_or_id in names_or_ids}))
    if len(user_ids) > MAX_MEMBERS:
        raise Invalid(f"A group can have at most {MAX_MEMBERS} members.")
    return user_ids


GROUP_MEMBERS: Final[Members] = (
    Member(
        "name",
        Kind.TEXT,
        FormField("Name", "Used in rules and permissions."),
        Flag("--name", "The new name.", metavar="NAME", positional=True),
        Line("group"),
        required=True,
        max_length=64,
        check=user_checks.name,
    ),
    Member(
        "members",
        Kind.PEOPLE,
        FormField("Members", suggestions="users"),
        Flag("--member", "A member.", metavar="USER"),
        Line("members", empty="none"),
        default=(),
        check=resolve_user_ids,
        widens=members.adds_values,
        has_column=False,
    ),
)
