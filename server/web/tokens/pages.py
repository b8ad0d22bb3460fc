"""The rows of the pages and forms about tokens and signing keys."""

from typing import Final

from server.protocol.forms import Form
from server.web.form import FormAction, acts
from server.web.page import Page, Read, confirmation, console_list

_MAX: Final = 50
"""Default number of tokens on one page."""


def _alg(form: Form) -> object:
    """The algorithm of the new key."""
    return {"alg": form.get("alg") or ""}


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
                fixed_parameters=(("limit", str(_MAX)),),
            ),
        ),
    ),
    console_list(
        "delegations",
        "tokens/console_delegations.html",
        "GET /api/admin/delegations",
        *("client", "user", "resource", "ended"),
    ),
    Page(
        "/admin/delegations/<id>",
        "tokens/console_delegation.html",
        "delegations",
        (Read("chain", "GET /api/admin/delegations/<id>"),),
    ),
    confirmation(
        "/admin/keys/<id>/revoke",
        "/admin/keys/<id>/revoke",
        "settings",
        Read("signing", "GET /api/keys"),
        intro="Revoke a key that has leaked. Every token it signed becomes invalid immediately, "
        "and a different key signs from then on.",
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
        body=_alg,
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
