"""The page and form rows about consents."""

from typing import Final

from server.web.form import FormAction, acts
from server.web.page import Page, Read, console_list

PAGES: Final = (
    Page(
        "/consents",
        "consents/consents.html",
        "consents",
        (Read("consents", "GET /api/consents", ("ended",)),),
    ),
    console_list("consents/consents", "GET /api/admin/consents", "client", "user", "ended"),
)

FORMS: Final = (
    FormAction("/consents/<id>/revoke", "DELETE /api/consents/<id>", then="/consents?done=consent"),
    acts("POST /api/admin/consents/<id>/revoke", "Revoke this consent", then="/admin/consents"),
)
