"""The page rows about the audit log."""

from typing import Final

from server.web.page import Page, Read, console_list

PAGES: Final = (
    console_list(
        "audit",
        "audit/console_entries.html",
        "GET /api/audit",
        *("type", "actor", "agent", "user", "resource", "approval", "from", "to"),
    ),
    Page(
        "/admin/audit/<id>",
        "audit/console_entry.html",
        "audit",
        (Read("entry", "GET /api/audit/<id>"),),
    ),
)
