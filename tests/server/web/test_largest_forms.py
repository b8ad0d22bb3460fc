"""The largest records that the API accepts can be changed on the console's forms."""

import json
from urllib.parse import urlencode

from server.services.approvers.group_members import MAX_MEMBERS
from server.services.policy.builtin import MAX_BYTES
from server.services.users.users import NewUser
from tests.support.builders.console import Console
from tests.support.builders.installation import BY
from tests.support.builders.policies import rule


def test_a_member_is_removed_from_a_full_group(console: Console) -> None:
    """Each remaining member is a ticked checkbox of the form."""
    admin, group_id = console.staff.local.admin, console.staff.ids["group"]
    for number in range(MAX_MEMBERS):
        admin.users.add(NewUser(f"member {number}"), by=BY)
    path = f"/api/groups/{group_id}"
    version = console.staff.version(path)
    form = {"name": "finance", "version": version}
    ticked = {f"members-member {number}": "1" for number in range(MAX_MEMBERS)}
    answer = console.signed("admin", f"/admin/groups/{group_id}/change", {**form, **ticked})
    assert answer.status_code == 303, answer.text
    ticked.popitem()
    form["version"] = console.staff.version(path)
    answer = console.post("admin", f"/admin/groups/{group_id}/change", {**form, **ticked})
    assert answer.status_code == 303, answer.text
    assert len(console.document(path)["members"]) == MAX_MEMBERS - 1


def test_the_longest_policy_is_activated(console: Console) -> None:
    """In a form and in JSON, quotation marks and line breaks take more bytes."""
    comment = '# "all", "some", "none" = "all"\n'
    text = rule("deny") + comment * (MAX_BYTES // len(comment))
    text = text[: MAX_BYTES - 1] + "\n"
    assert MAX_BYTES == len(text) < len(json.dumps(text)) < len(urlencode({"": text}))
    form = {"document": text.replace("\n", "\r\n"), "version": "0"}
    answer = console.signed("admin", "/admin/policy/set", form)
    assert answer.status_code == 303, answer.text
    assert console.document("/api/policy")["document"] == text
