"""The page and form rows about standing grants."""

from typing import Final

from server.web.form import FormAction, acts
from server.web.page import Page, Read, console_list
from server.web.standing_grants import proposal

PAGES: Final = (
    Page("/r/<id>/similar", "standing_grants/proposal.html", load=proposal.load),
    Page(
        "/grants",
        "standing_grants/grants.html",
        "grants",
        (Read("grants", "GET /api/grants", ("ended",)),),
    ),
    console_list(
        "grants",
        "standing_grants/console_grants.html",
        "GET /api/admin/grants",
        *("agent", "user", "ended"),
    ),
)

FORMS: Final = (
    FormAction("/r/<id>/similar", page="/r/<id>/similar", does=proposal.propose),
    FormAction("/grants/<id>/revoke", "DELETE /api/grants/<id>", then="/grants?done=grant"),
    acts("POST /api/admin/grants/<id>/revoke", "End this standing grant", then="/admin/grants"),
)
