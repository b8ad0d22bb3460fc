"""The console pages of groups."""

import re

from server.services.approvers.groups import Groups
from server.services.users.users import NewUser
from tests.support.builders.console import Console
from tests.support.builders.installation import BY


def test_the_members_of_a_group_are_listed_by_name(console: Console) -> None:
    """They are stored by ID, an order in which nobody finds a name."""
    admin = console.staff.local.admin
    names = [f"person-{number:02}" for number in range(12)]
    for name in names:
        admin.users.add(NewUser(name), by=BY)
    group = Groups(admin.store, admin.secrets).add("night-watch", names, by=BY)
    for path in ("/admin/groups", f"/admin/groups/{group.id}"):
        page = console.get("admin", path).text
        assert re.findall(r"<bdi>(person-\d+)</bdi>", page)[: len(names)] == names
