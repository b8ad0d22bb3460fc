"""Endpoints of a person's approval requests, and of resources that consume them."""

import re
from typing import Final

from server.http import listing, wire
from server.http.approvals import (
    approval_wire,
    decision_wire,
    execution_wire,
    narrowing_wire,
    receipt_wire,
)
from server.http.route import HttpRequest, own
from server.http.site import Site
from server.model.audit import HistorySearch
from server.model.resources import ResourceServer
from server.protocol import errors
from server.protocol.approvals.states import State
from server.services.users.device_auth import Person

_MAX_LIMIT = 200
_RESULTS: Final = {
    "approved": frozenset({State.APPROVED, State.REDEEMED}),
    "denied": frozenset({State.DENIED}),
    "expired": frozenset({State.EXPIRED}),
    "cancelled": frozenset({State.CANCELLED}),
}
_DIGITS = re.compile(r"[0-9]{1,3}")


@own(
    "GET /api/approvals",
    query=("state", "agent", "result", "since", "until", "limit", "cursor"),
    errors=(422,),
)
def list_approvals(site: Site, request: HttpRequest, person: Person) -> approval_wire.Approvals:
    """List pending or decided requests."""
    limit = _limit(request.query.get("limit", "50"))
    cursor = approval_wire.read_cursor(request.query.get("cursor"))
    state = request.query.get("state", "waiting")
    if state not in {"waiting", "decided"}:
        raise errors.invalid_body("state must be waiting or decided.")
    if state == "waiting":
        approval_page = site.approvals.inbox.waiting(person, limit, cursor)
    else:
        until = listing.moment(request, "until")
        before = cursor if cursor or until is None else (until, "")
        approval_page = site.approvals.inbox.list_decided(
            person, limit, before, _history_search(site, request)
        )
    return approval_wire.approvals(approval_page)


def _history_search(site: Site, request: HttpRequest) -> HistorySearch:
    """The filters of the history. Raises errors.Problem 422."""
    agent_name, result = request.query.get("agent"), request.query.get("result")
    if result is not None and result not in _RESULTS:
        raise errors.invalid_body(f"result must be one of {', '.join(_RESULTS)}.")
    return HistorySearch(
        agent=None if agent_name is None else site.approvals.inbox.find_agent_id(agent_name),
        states=None if result is None else _RESULTS[result],
        since=listing.moment(request, "since"),
    )


@own("GET /api/approvals/<id>/receipt", answer=receipt_wire.SignedReceipt, errors=(404,))
def receipt(site: Site, request: HttpRequest, person: Person) -> dict[str, object]:
    """Get the receipt of a request: the evidence of how it ended.

    The receipt has the current state of the request. The server signs it.
    """
    record = site.approvals.receipts.find(person, request.params["id"])
    members = receipt_wire.receipt(record, site.server_policy.issuer).model_dump()
    signature = site.approvals.receipts.sign(members)
    return {**members, "server_signature": signature}


@own("GET /api/approvals/<id>", errors=(404,))
def show(site: Site, request: HttpRequest, person: Person) -> approval_wire.Approval:
    """Get one request, with the nonce that this device signs.

    Includes the nonce for this device, and marks the request as seen on it.
    """
    approver_view = site.approvals.decisions.show(person, request.params["id"])
    return approval_wire.approval(approver_view)


@own("POST /api/approvals/<id>/decision", errors=(404, 409, 422, 423))
def decide(
    site: Site, request: HttpRequest, person: Person, body: decision_wire.SignedDecision
) -> approval_wire.Approval:
    """Send a signed decision."""
    approver_view = site.approvals.decisions.decide(person, request.params["id"], body.submitted())
    return approval_wire.approval(approver_view)


@own("GET /api/approvals/<id>/narrowing", errors=(404, 409, 422))
def narrowing_options(
    site: Site, request: HttpRequest, person: Person
) -> narrowing_wire.NarrowingOptions:
    """List what can be narrowed in a request."""
    options = site.approvals.narrowings.narrowable(person, request.params["id"])
    return narrowing_wire.narrowing_options(options)


@own("POST /api/approvals/<id>/narrowing", errors=(404, 409, 422))
def narrow(
    site: Site, request: HttpRequest, person: Person, body: narrowing_wire.Narrowing
) -> narrowing_wire.GrantedAction:
    """Preview a narrowed request without deciding it.

    Returns the granted text, which the device then signs.
    """
    narrowed = site.approvals.narrowings.propose(person, request.params["id"], body.record())
    return narrowing_wire.proposed(narrowed)


def consume(
    site: Site, request: HttpRequest, caller: ResourceServer
) -> execution_wire.ConsumedApproval:
    """POST /api/approvals/consume: a resource consumes an approval for one execution."""
    body = wire.read(execution_wire.Execution, request.body)
    consumed = site.approvals.consumptions.consume(caller, body.record())
    return execution_wire.consumed(consumed)


def outcome(
    site: Site, request: HttpRequest, caller: ResourceServer
) -> execution_wire.ReportedOutcome:
    """POST /api/approvals/outcome: a resource reports the result of an execution."""
    body = wire.read(execution_wire.OutcomeReport, request.body)
    approval, shown_execution = site.approvals.outcomes.report(caller, body.record())
    return execution_wire.reported(approval.id, shown_execution)


def _limit(text: str) -> int:
    if not _DIGITS.fullmatch(text) or not 0 < int(text) <= _MAX_LIMIT:
        raise errors.invalid_body(f"limit must be 1 to {_MAX_LIMIT}.")
    return int(text)
