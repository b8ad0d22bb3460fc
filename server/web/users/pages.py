"""The pages and forms about users."""

from typing import Final

from server.services.users.user_members import USER_MEMBERS
from server.web.choices import USERS
from server.web.console.member_fields import fields
from server.web.form import FormAction, acts, changes, creates
from server.web.page import (
    Read,
    confirmation,
    console_list,
    new_page,
    recent_approvals,
    record_page,
)

_USER: Final = Read("user", "GET /api/users/<id>")
_CODE: Final = "users/console_enrollment_code.html"
_ERASE: Final = "/admin/users/<id>/erase"

PAGES: Final = (
    console_list("users/users", "GET /api/users", "search"),
    new_page("user", intro="The one-time code for their first device is shown once."),
    record_page("users/user", _USER, recent_approvals("user"), USERS),
    confirmation(
        _ERASE,
        _ERASE,
        "users",
        _USER,
        intro="This deletes their name, the names of their devices, IP addresses, what was asked "
        "in their name, and what they typed from every entry. It cannot be undone. IDs stay, and "
        "the log still verifies.",
    ),
)

FORMS: Final = (
    creates("user", "Add user", fields(USER_MEMBERS, "new"), answer=_CODE),
    changes("user", "Change this user", fields(USER_MEMBERS, "change"), page=""),
    acts("POST /api/users/<id>/disable", "Disable this user"),
    acts("POST /api/users/<id>/enable", "Enable this user"),
    FormAction(
        "/admin/users/<id>/code",
        "POST /api/users/<id>/codes",
        "Create a one-time code to enroll another device for this user",
        answer=_CODE,
    ),
    acts("POST /api/users/<id>/unlock", "Unlock the locked devices of this user"),
    FormAction(
        _ERASE,
        "POST /api/users/<id>/erase",
        "Permanently erase this user from the audit log",
        page=_ERASE,
        values_from="user",
        then="/admin/users/<id>",
    ),
)
