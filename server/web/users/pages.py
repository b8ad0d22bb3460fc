"""The pages and forms about users."""

from typing import Final

from server.web.choices import USERS
from server.web.console import people_fields
from server.web.form import FormAction, acts, changes, creates
from server.web.page import Page, Read, console_list, new_page

_TEN: Final = (("limit", "10"),)
_CODE: Final = "users/console_enrollment_code.html"

PAGES: Final = (
    console_list("users", "users/console_users.html", "GET /api/users"),
    new_page("user", intro="The one-time code for their first device is shown once."),
    Page(
        "/admin/users/<id>",
        "users/console_user.html",
        "users",
        (
            Read("user", "GET /api/users/<id>"),
            Read("recent", "GET /api/admin/approvals", fixed=_TEN, about="user"),
            USERS,
        ),
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
    acts(
        "POST /api/users/<id>/erase",
        "Permanently erase the personal texts of this user from the audit log",
    ),
)
