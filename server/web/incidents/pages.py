"""The page and form rows about reports and incidents."""

from typing import Final

from server.model.approvals import Approval
from server.web.approvals.request import is_open, request_facts
from server.web.form import acts
from server.web.page import Facts, Page, Read, console_list, record_page
from server.web.visit import Visit

_DENIAL_ONLY: Final = (
    "It is denied as not recognized, which the agent sees. No agent is quarantined and no "
    "administrator is notified."
)


def load(visit: Visit) -> Facts:
    """GET /r/<id>/report: for pending and closed requests."""
    approver_view = visit.site.approvals.decisions.show(visit.person, visit.record_id)
    report_choices = choices(approver_view.approval, is_open=is_open(approver_view, visit.person))
    return {**request_facts(visit, approver_view), "choices": report_choices}


def choices(approval: Approval, *, is_open: bool) -> list[tuple[str, str, str]]:
    """The choices: each has its scope in the API, a label and an explanation.

    The scope "" is a denial without a report; only pending requests have it.
    """
    denial_only = ("", "This request", _DENIAL_ONLY)
    if approval.kind != "action":
        detail = "It is denied, and the administrators are notified. No agent asked for it."
        stops = [("agent", "This request, and notify the administrators", detail)]
    else:
        stops = [
            (
                "agent",
                "This agent",
                "It is quarantined: its tokens and requests end, for everyone.",
            ),
            ("every_agent", "Every agent acting for me", "Each one is quarantined, for everyone."),
        ]
    return [denial_only, *stops] if is_open else stops


PAGES: Final = (
    Page("/r/<id>/report", "incidents/report.html", load=load),
    console_list("incidents/incidents", "GET /api/incidents", "closed"),
    record_page("incidents/incident", Read("incident", "GET /api/incidents/<id>")),
    console_list("incidents/orphans", "GET /api/admin/orphans"),
)

FORMS: Final = (
    acts(
        "POST /api/incidents/<id>/close",
        "Close this incident",
        body=lambda form: {"note": form.get("note")},
        page=True,
    ),
)
