"""The pages and forms about resources."""

from typing import Final

from server.web.choices import ACTIONS
from server.web.console import client_fields
from server.web.fields import overlap
from server.web.form import acts, changes, creates, deletes
from server.web.page import (
    Page,
    Read,
    console_list,
    delete_page,
    edit_page,
    new_page,
)

_RESOURCE: Final = Read("resource", "GET /api/resources/<id>")

PAGES: Final = (
    console_list("resources", "resources/console_resources.html", "GET /api/resources"),
    new_page(
        "resource",
        intro="A resource is a protected API or an MCP server. Its credentials, with which it "
        "introspects tokens, are shown once.",
    ),
    Page("/admin/resources/<id>", "resources/console_resource.html", "resources", (_RESOURCE,)),
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
        "consent and standing grant for it ends. No agent or app can reach it again, even if you "
        "register it again.",
    ),
)

FORMS: Final = (
    creates(
        "resource",
        "Register a resource",
        client_fields.NEW_RESOURCE,
        answer="clients/console_credentials.html",
    ),
    changes(
        "resource",
        "Change this resource",
        client_fields.CHANGED_RESOURCE,
        merge=client_fields.with_removals,
    ),
    deletes("resource", "Delete this resource", answer="resources/console_deletion.html"),
    acts(
        "POST /api/resources/<id>/secret",
        "Create a new secret for this resource",
        fields=(overlap(),),
        page=True,
        answer="clients/console_credentials.html",
    ),
)
