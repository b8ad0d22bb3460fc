"""Approve with limits: the controls, the comparison with the request, signing with a passkey.

Owns: the controls of `/r/<id>/limit` and their API request. Never: what counts as narrower; the
API makes the text to sign, and checks it again when it comes back signed.
"""

from typing import Final

from werkzeug.wrappers import Response as AnyResponse

from server.protocol import errors
from server.protocol.forms import Form
from server.web.approvals.request import is_open, request_facts
from server.web.browser import go
from server.web.calls import Document
from server.web.form import number_of
from server.web.page import Facts
from server.web.visit import Visit, refusal_text

_OPTIONS: Final = "GET /api/approvals/<id>/narrowing"
_PROPOSE: Final = "POST /api/approvals/<id>/narrowing"
_EMPTY: Final = Form({})
_UNPROCESSABLE: Final = 422


def load(visit: Visit) -> Facts | AnyResponse:
    """GET /r/<id>/limit: every control, set to what the agent requested."""
    return _facts(visit, _EMPTY, {"narrowed": None, "problem": ""})


def compare(visit: Visit, form: Form) -> Facts | AnyResponse:
    """POST /r/<id>/limit: show what would be granted, without deciding the request."""
    try:
        options = visit.read(_OPTIONS, visit.record_id)
        narrowed = visit.calls.do(_PROPOSE, visit.record_id, narrowing_request(form, options), form)
    except (errors.Problem, ValueError) as refused:
        message = refusal_text(refused, {_UNPROCESSABLE})
        return _facts(visit, form, {"narrowed": None, "problem": message, "status": _UNPROCESSABLE})
    return _facts(visit, form, {"narrowed": narrowed, "problem": ""})


def _facts(visit: Visit, form: Form, facts: Facts) -> Facts | AnyResponse:
    """The content of the page; redirects if this person can no longer decide the request."""
    approver_view = visit.site.approvals.decisions.show(visit.person, visit.record_id)
    if not is_open(approver_view, visit.person):
        return go(f"{visit.site.server_policy.issuer}/r/{visit.record_id}")
    options = visit.read(_OPTIONS, visit.record_id)
    return {**request_facts(visit, approver_view), "options": options, "sent": form, **facts}


def narrowing_request(form: Form, options: Document) -> Document:
    """The API request for the submitted controls. Raises ValueError for a bad token lifetime."""
    seconds = number_of(form, "seconds", "The token lifetime in seconds")
    scopes = enumerate(options["scopes"])
    facts = enumerate(options["facts"])
    changes = [
        (fact, value)
        for index, fact in facts
        if (value := _entered_value(form, index, fact)) is not None
    ]
    return {
        "drop_scopes": [name for index, name in scopes if form.get(f"scope.{index}") is None],
        "changes": [
            {"place": fact["place"], "fact": fact["fact"], "to": value} for fact, value in changes
        ],
        "token_seconds": seconds,
    }


def _entered_value(form: Form, index: int, fact: Document) -> str | None:
    """The narrower value of one fact, as the API takes it; None if it is unchanged."""
    if fact["rule"] == "turn_on":
        return "yes" if form.get(f"fact.{index}") else None
    if fact["rule"] != "drop":
        return form.get(f"fact.{index}")
    count = len(fact["items"])
    positions = [str(item + 1) for item in range(count) if form.get(f"fact.{index}.{item}")]
    return None if len(positions) == count else ",".join(positions) or "none"
