"""The page and form rows about requests."""

import json
from collections.abc import Mapping
from typing import Any, Final

from server.protocol.times import rfc3339
from server.web.approvals import history, inbox, narrowing, outcome, request
from server.web.approvals.outcomes import outcome_of
from server.web.approvals.request import headline_of
from server.web.fields import Field
from server.web.form import FormAction, acts, texts
from server.web.page import Facts, Page, Read, console_list, record_page


def facts(read: Mapping[str, Any]) -> Facts:
    """The template variables of a receipt's page, besides the receipt."""
    receipt = read["receipt"]
    approval = receipt["approval"]
    return {
        "approval": approval,
        "headline": headline_of(approval),
        "outcome": outcome_of(approval),
        "display": json.loads(approval["display"]),
        "log": [_entry(entry["body"]) for entry in receipt["entries"]],
        "whole": json.dumps(receipt, ensure_ascii=False, indent=1),
    }


def _entry(body: str) -> dict[str, Any]:
    entry = json.loads(body)
    return {**entry, "at": rfc3339(entry["at"])}


PAGES: Final = (
    Page("/", "approvals/inbox.html", "inbox", load=inbox.load),
    Page("/r/<id>", "approvals/request.html", load=request.load),
    Page("/r/<id>/limit", "approvals/narrowing.html", load=narrowing.load),
    Page("/done/<id>", "approvals/outcome.html", load=outcome.load),
    Page("/history", "approvals/history.html", "history", load=history.load),
    Page(
        "/receipt/<id>",
        "approvals/receipt.html",
        "history",
        (Read("receipt", "GET /api/approvals/<id>/receipt"),),
        draw=facts,
    ),
    console_list("approvals/approvals", "GET /api/admin/approvals", "state", "agent", "user"),
    record_page("approvals/approval", Read("approval", "GET /api/admin/approvals/<id>")),
)

FORMS: Final = (
    FormAction("/r/<id>/limit", page="/r/<id>/limit", handler=narrowing.compare),
    FormAction("/done/<id>/revoke", handler=outcome.revoke),
    acts(
        "POST /api/admin/approvals/<id>/cancel",
        "Withdraw this request",
        body=texts("reason"),
        page=True,
    ),
    acts(
        "POST /api/admin/approvals/<id>/escalate",
        "Ask one more person about this request",
        fields=(Field("to", "Ask one more person", required=True),),
        page=True,
    ),
)
