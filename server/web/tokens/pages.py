"""The rows of the pages and forms about tokens and signing keys."""

from typing import Final

from server.web.form import FormAction, acts, texts
from server.web.page import Page, Read, confirmation, console_list, record_page

_PAGE_SIZE: Final = 50
"""Default number of tokens on one page."""


PAGES: Final = (
    Page(
        "/delegations",
        "tokens/delegations.html",
        "delegations",
        (
            Read(
                "delegations",
                "GET /api/delegations",
                ("ended", "cursor", "limit"),
                fixed_parameters=(("limit", str(_PAGE_SIZE)),),
            ),
        ),
    ),
    console_list(
        "tokens/delegations", "GET /api/admin/delegations", "client", "user", "resource", "ended"
    ),
    record_page("tokens/delegation", Read("chain", "GET /api/admin/delegations/<id>")),
    confirmation(
        "/admin/keys/<id>/revoke",
        "/admin/keys/<id>/revoke",
        "settings",
        Read("signing", "GET /api/keys"),
        intro="Revoke a key if it has leaked. All tokens signed with it become invalid "
        "immediately, and new tokens are signed with a different key.",
    ),
)

FORMS: Final = (
    FormAction(
        "/delegations/<id>/revoke", "DELETE /api/delegations/<id>", then="/delegations?done=token"
    ),
    acts(
        "POST /api/admin/delegations/<id>/revoke",
        "Revoke this token and the tokens derived from it",
    ),
    FormAction(
        "/admin/keys/rotate",
        "POST /api/keys",
        "Sign with a new key",
        body=texts("alg"),
        page="/admin/settings",
        then="/admin/settings",
    ),
    FormAction(
        "/admin/keys/<id>/revoke",
        "POST /api/keys/<id>/revoke",
        "Revoke this signing key",
        page="/admin/keys/<id>/revoke",
        then="/admin/settings",
    ),
)
