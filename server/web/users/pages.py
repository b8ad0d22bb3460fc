"""The pages and forms about users."""

from typing import Final

from server.web.console import people_fields
from server.web.form import FormAction
from server.web.page import Page, Read, console_list, form_page

_TEN: Final = (("limit", "10"),)
_CODE: Final = "users/console_enrolment_code.html"

PAGES: Final = (
    console_list("users", "users/console_users.html", "GET /api/users"),
    form_page(
        "/admin/new/user",
        "/admin/new/user/add",
        "users",
        intro="The one-time code for their first device is shown once.",
    ),
    Page(
        "/admin/users/<id>",
        "users/console_user.html",
        "users",
        (
            Read("user", "GET /api/users/<id>"),
            Read("recent", "GET /api/admin/approvals", fixed=_TEN, about="user"),
        ),
    ),
)

FORMS: Final = (
    FormAction(
        "/admin/new/user/add",
        "POST /api/users",
        "Add user",
        fields=people_fields.NEW_USER,
        page="/admin/new/user",
        answer=_CODE,
    ),
    FormAction(
        "/admin/users/<id>/change",
        "PATCH /api/users/<id>",
        "Change this user",
        fields=people_fields.CHANGED_USER,
        page="/admin/users/<id>",
        of="user",
        then="/admin/users/<id>",
    ),
    FormAction(
        "/admin/users/<id>/disable",
        "POST /api/users/<id>/disable",
        "Disable this user",
        then="/admin/users/<id>",
    ),
    FormAction(
        "/admin/users/<id>/enable",
        "POST /api/users/<id>/enable",
        "Enable this user",
        then="/admin/users/<id>",
    ),
    FormAction(
        "/admin/users/<id>/code",
        "POST /api/users/<id>/codes",
        "Create a one-time code to enroll another device for this user",
        answer=_CODE,
    ),
    FormAction(
        "/admin/users/<id>/unlock",
        "POST /api/users/<id>/unlock",
        "Unlock the locked devices of this user",
        then="/admin/users/<id>",
    ),
)
