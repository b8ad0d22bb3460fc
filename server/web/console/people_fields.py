"""The form fields of users and groups."""

from typing import Final

from server.services.approvers.group_members import GROUP_MEMBERS
from server.services.users.user_members import USER_MEMBERS
from server.web.console.member_fields import fields

NEW_USER: Final = fields(USER_MEMBERS, "new")
CHANGED_USER: Final = fields(USER_MEMBERS, "change")
GROUP: Final = fields(GROUP_MEMBERS, "new")
