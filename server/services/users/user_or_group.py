"""References to a user or a group.

Owns: finding the ID for a name. Never: changing a group (`groups.py`).
"""

from server.model.store import View
from server.services.refusals import Invalid, NotFound


def id_of(view: View, name_or_id: str) -> str:
    """Return the ID of a user or group by name. Raises `NotFound`, or `Invalid` (ambiguous)."""
    user, group = view.directory.find_user(name_or_id), view.directory.find_group(name_or_id)
    if user is not None and group is not None:
        raise Invalid(f"{name_or_id} is the name of a user and of a group. Use the ID instead.")
    if group is not None:
        return group.id
    if user is None:
        raise NotFound("user or group", name_or_id)
    return user.id
