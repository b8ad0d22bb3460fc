"""The pages and forms about resources."""

from typing import Final

from server.web.choices import ACTIONS
from server.web.console import client_fields
from server.web.form import changes, creates, deletes
from server.web.page import Read, console_list, delete_page, edit_page, new_page, record_page

_RESOURCE: Final = Read("resource", "GET /api/resources/<id>")

PAGES: Final = (
    console_list("resources/resources", "GET /api/resources"),
    new_page(
        "resource",
        intro="A resource is a protected API or an MCP server. It introspects tokens with its "
        "credentials, which are shown once.",
    ),
    record_page("resources/resource", _RESOURCE),
    edit_page(
        "resource",
        _RESOURCE,
        ACTIONS,
        intro="Adding a scope or lowering its risk needs an administrator's passkey.",
    ),
    delete_page(
        "resource",
        _RESOURCE,
        intro="Every token for it is revoked, every open request about it is canceled, and every "
        "consent and standing grant for it ends. No agent or app can use it again, even if you "
        "register it again.",
    ),
)

FORMS: Final = (
    creates(
        "resource",
        "Register a resource",
        client_fields.NEW_RESOURCE,
        answer=client_fields.CREDENTIALS,
    ),
    changes(
        "resource",
        "Change this resource",
        client_fields.CHANGED_RESOURCE,
        merge=client_fields.with_removals,
    ),
    deletes("resource", "Delete this resource", answer="resources/console_deletion.html"),
    client_fields.rotates("resource"),
)
