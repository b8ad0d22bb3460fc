"""The pages and forms about resources."""

from typing import Final

from server.web.console import client_fields
from server.web.form import FormAction, overlap
from server.web.page import Page, Read, confirmation, console_list, form_page

RESOURCES: Final = Read("resources", "GET /api/resources", fixed=(("limit", "200"),))
"""The choices in forms of clients."""
_RESOURCE: Final = Read("resource", "GET /api/resources/<id>")

PAGES: Final = (
    console_list("resources", "resources/console_resources.html", "GET /api/resources"),
    form_page(
        "/admin/new/resource",
        "/admin/new/resource/add",
        "resources",
        intro="A resource is a protected API or an MCP server. Its credentials, with which it "
        "introspects tokens, are shown once.",
    ),
    Page("/admin/resources/<id>", "resources/console_resource.html", "resources", (_RESOURCE,)),
    form_page(
        "/admin/resources/<id>/edit",
        "/admin/resources/<id>/change",
        "resources",
        _RESOURCE,
        intro="Adding a scope or lowering its risk needs an administrator's passkey.",
    ),
    confirmation(
        "/admin/resources/<id>/forget",
        "/admin/resources/<id>/delete",
        "resources",
        _RESOURCE,
        intro="Every token for it is revoked, every open request about it is canceled, and every "
        "consent and standing grant for it ends. No agent or app can reach it again, even if you "
        "register it again.",
    ),
)

FORMS: Final = (
    FormAction(
        "/admin/new/resource/add",
        "POST /api/resources",
        "Register a resource",
        fields=client_fields.NEW_RESOURCE,
        page="/admin/new/resource",
        answer="clients/console_credentials.html",
    ),
    FormAction(
        "/admin/resources/<id>/change",
        "PATCH /api/resources/<id>",
        "Change this resource",
        fields=client_fields.CHANGED_RESOURCE,
        page="/admin/resources/<id>/edit",
        of="resource",
        merge=client_fields.with_removals,
        then="/admin/resources/<id>",
    ),
    FormAction(
        "/admin/resources/<id>/delete",
        "DELETE /api/resources/<id>",
        "Delete this resource",
        page="/admin/resources/<id>/forget",
        of="resource",
        answer="resources/console_deletion.html",
    ),
    FormAction(
        "/admin/resources/<id>/secret",
        "POST /api/resources/<id>/secret",
        "Create a new secret for this resource",
        body=overlap,
        page="/admin/resources/<id>",
        answer="clients/console_credentials.html",
    ),
)
