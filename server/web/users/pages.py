"""The pages and forms about users."""

from typing import Final

from server.web.choices import USERS
from server.web.console import people_fields
from server.web.form import FormAction, acts, changes, creates
from server.web.page import Page, Read, confirmation, console_list, new_page

_TEN: Final = (("limit", "10"),)
_CODE: Final = "users/console_enrollment_code.html"
_ERASE: Final = "/admin/users/<id>/erase"

PAGES: Final = (
    console_list("users", "users/console_users.html", "GET /api/users"),
    new_page("user", intro="The one-time code for their first device is shown once."),
    Page(
        "/admin/users/<id>",
        "users/console_user.html",
        "users",
        (
            Read("user", "GET /api/users/<id>"),
            Read("recent", "GET /api/admin/approvals", fixed_parameters=_TEN, id_parameter="user"),
            USERS,
        ),
    ),
    confirmation(
        _ERASE,
        _ERASE,
        "users",
        Read("user", "GET /api/users/<id>"),
        intro="This deletes their name, the names of their devices, IP addresses, what was asked "
        "in their name, and what they typed from every entry. It cannot be undone. IDs stay, and "
        "the log still verifies.",
    ),
)

FORMS: Final = (
    creates("user", "Add user", people_fields.NEW_USER, answer=_CODE),
    changes("user", "Change this user", people_fields.CHANGED_USER, page=""),
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
