"""The page and form rows about reports and incidents."""

from typing import Final

from server.protocol.forms import Form
from server.web.form import acts
from server.web.incidents import report
from server.web.page import Page, Read, console_list


def _note(form: Form) -> object:
    """The body that closes an incident."""
    return {"note": form.get("note")}


PAGES: Final = (
    Page("/r/<id>/report", "incidents/report.html", load=report.load),
    console_list("incidents", "incidents/console_incidents.html", "GET /api/incidents", "closed"),
    Page(
        "/admin/incidents/<id>",
        "incidents/console_incident.html",
        "incidents",
        (Read("incident", "GET /api/incidents/<id>"),),
    ),
    console_list("orphans", "incidents/console_orphans.html", "GET /api/admin/orphans"),
)

FORMS: Final = (
    acts("POST /api/incidents/<id>/close", "Close this incident", body=_note, page=True),
)
