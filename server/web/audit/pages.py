"""The page rows about the audit log."""

from typing import Final

from server.web.audit import export
from server.web.page import Page, Read

PAGES: Final = (
    Page(
        "/admin/audit",
        "audit/console_entries.html",
        "audit",
        (Read("audit", "GET /api/audit", (*export.PARAMETERS, "cursor")),),
        load=export.load,
    ),
    Page(
        "/admin/audit/<id>",
        "audit/console_entry.html",
        "audit",
        (Read("entry", "GET /api/audit/<id>"),),
    ),
    Page(
        "/admin/audit/timelines/<id>",
        "audit/console_timeline.html",
        "audit",
        (Read("timeline", "GET /api/audit/<id>/timeline"),),
        load=export.load_timeline,
    ),
)
