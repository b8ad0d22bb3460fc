"""Endpoints of a person's approval requests, and of resources that consume them."""

from typing import Final

from server.http import listing
from server.http.approvals import (
    approval_wire,
    decision_wire,
    execution_wire,
    narrowing_wire,
    receipt_wire,
)
from server.http.route import Caller, HttpRequest, own, route
from server.http.site import Site
from server.model.audit import HistorySearch
from server.model.resources import ResourceServer
from server.protocol import errors
from server.protocol.approvals.states import State
from server.services.users.device_auth import Person

_RESULTS: Final = {
    "approved": frozenset({State.APPROVED, State.REDEEMED}),
    "denied": frozenset({State.DENIED}),
    "expired": frozenset({State.EXPIRED}),
    "cancelled": frozenset({State.CANCELLED}),
}


@own(
    "GET /api/approvals",
    query=("state", "agent", "result", "since", "until", "limit", "cursor"),
    errors=(422,),
)
def list_approvals(site: Site, request: HttpRequest, person: Person) -> approval_wire.Approvals:
    """List pending or decided requests."""
    limit = listing.limit(request)
    cursor = approval_wire.read_cursor(request.query.get("cursor"))
    state = request.query.get("state", "waiting")
    if state not in {"waiting", "decided"}:
        raise errors.invalid_body("state must be waiting or decided.")
    if state == "waiting":
        approval_page = site.approvals.inbox.waiting(person, limit, cursor)
    else:
        until = listing.timestamp(request, "until")
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
        since=listing.timestamp(request, "since"),
    )


@own("GET /api/approvals/<id>", errors=(404,))
def show(site: Site, person: Person, record_id: str) -> approval_wire.Approval:
    """Get one request.

    Includes the nonce for this device, and marks the request as seen on it.
    """
    approver_view = site.approvals.decisions.show(person, record_id)
    return approval_wire.approval(approver_view)


@own("GET /api/approvals/<id>/receipt", answer=receipt_wire.SignedReceipt, errors=(404,))
def receipt(site: Site, person: Person, record_id: str) -> dict[str, object]:
    """Get the receipt of a request: the evidence of how it ended.

    The receipt has the current state of the request. The server signs it.
    """
    record = site.approvals.receipts.find(person, record_id)
    members = receipt_wire.receipt(record, site.server_policy.issuer).model_dump()
    signature = site.approvals.receipts.sign(members)
    return {**members, "server_signature": signature}


@own("POST /api/approvals/<id>/decision", errors=(404, 409, 422, 423))
def decide(
    site: Site, person: Person, record_id: str, body: decision_wire.SignedDecision
) -> approval_wire.Approval:
    """Send a signed decision."""
    approver_view = site.approvals.decisions.decide(person, record_id, body.submitted())
    return approval_wire.approval(approver_view)


@own("GET /api/approvals/<id>/narrowing", errors=(404, 409, 422))
def narrowing_options(
    site: Site, person: Person, record_id: str
) -> narrowing_wire.NarrowingOptions:
    """List what can be narrowed in a request."""
    options = site.approvals.narrowings.narrowable(person, record_id)
    return narrowing_wire.narrowing_options(options)


@own("POST /api/approvals/<id>/narrowing", errors=(404, 409, 422))
def narrow(
    site: Site, person: Person, record_id: str, body: narrowing_wire.Narrowing
) -> narrowing_wire.GrantedAction:
    """Preview a narrowed request without deciding it.

    Returns the granted text, which the device then signs.
    """
    narrowed = site.approvals.narrowings.propose(person, record_id, body.record())
    return narrowing_wire.proposed(narrowed)


@route("POST /api/approvals/consume", Caller.RESOURCE, errors=(401, 403, 409, 422))
def consume(
    site: Site, caller: ResourceServer, body: execution_wire.Execution
) -> execution_wire.ConsumedApproval:
    """Consume an approval for one execution."""
    consumed = site.approvals.consumptions.consume(caller, body.record())
    return execution_wire.consumed(consumed)


@route("POST /api/approvals/outcome", Caller.RESOURCE, errors=(401, 404, 409, 422))
def outcome(
    site: Site, caller: ResourceServer, body: execution_wire.OutcomeReport
) -> execution_wire.ReportedOutcome:
    """Report the outcome of an execution."""
    approval, shown_execution = site.approvals.outcomes.report(caller, body.record())
    return execution_wire.reported(approval.id, shown_execution)
