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
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.model.audit import HistorySearch
from server.model.resources import Resource
from server.protocol import errors
from server.protocol.approvals.states import State
from server.services.users.device_auth import Person

_MAX = 200
_RESULTS: Final = {
    "approved": frozenset({State.APPROVED, State.REDEEMED}),
    "denied": frozenset({State.DENIED}),
    "expired": frozenset({State.EXPIRED}),
    "cancelled": frozenset({State.CANCELLED}),
}
_NUMBER = re.compile(r"[0-9]{1,3}")


def listed(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/approvals?state=waiting|decided."""
    limit = _limit(request.query.get("limit", "50"))
    cursor = approval_wire.read_cursor(request.query.get("cursor"))
    state = request.query.get("state", "waiting")
    if state not in {"waiting", "decided"}:
        raise errors.Problem(422, "invalid_body", "state must be waiting or decided.")
    if state == "waiting":
        found = site.approvals.decisions.waiting(person, limit, cursor)
    else:
        until = listing.moment(request, "until")
        before = cursor if cursor or until is None else (until, "")
        found = site.approvals.decisions.decided(person, limit, before, _wanted(site, request))
    return as_json(200, approval_wire.approvals(found).model_dump())


def _wanted(site: Site, request: HttpRequest) -> HistorySearch:
    """The filters of the history. Raises errors.Problem 422."""
    called, result = request.query.get("agent"), request.query.get("result")
    if result is not None and result not in _RESULTS:
        raise errors.Problem(422, "invalid_body", f"result must be one of {', '.join(_RESULTS)}.")
    return HistorySearch(
        agent=None if called is None else site.approvals.decisions.agent_called(called),
        states=None if result is None else _RESULTS[result],
        since=listing.moment(request, "since"),
    )


def receipt(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/approvals/<id>/receipt: the current state, signed by the server."""
    found = site.approvals.receipts.of(person, request.params["id"])
    members = receipt_wire.receipt(found, site.rules.issuer).model_dump()
    signature = site.approvals.receipts.sign(members)
    return as_json(200, {**members, "server_signature": signature})


def show(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/approvals/<id>: includes the nonce for this device, and marks it as seen."""
    shown = site.approvals.decisions.show(person, request.params["id"])
    return as_json(200, approval_wire.approval(shown).model_dump())


def decide(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/approvals/<id>/decision."""
    body = wire.read(decision_wire.SignedDecision, request.body)
    shown = site.approvals.decisions.decide(person, request.params["id"], body.submitted())
    return as_json(200, approval_wire.approval(shown).model_dump())


def narrowing_options(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/approvals/<id>/narrowing: what can be narrowed."""
    options = site.approvals.narrowings.narrowable(person, request.params["id"])
    return as_json(200, narrowing_wire.narrowing_options(options).model_dump())


def narrow(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/approvals/<id>/narrowing: the granted text to sign."""
    body = wire.read(narrowing_wire.Narrowing, request.body)
    narrowed = site.approvals.narrowings.propose(person, request.params["id"], body.record())
    return as_json(200, narrowing_wire.proposed(narrowed).model_dump())


def consume(site: Site, request: HttpRequest, resource: Resource) -> HttpResponse:
    """POST /api/approvals/consume: a resource consumes an approval for one execution."""
    body = wire.read(execution_wire.Execution, request.body)
    spent = site.approvals.consumptions.consume(resource, body.record())
    return as_json(200, execution_wire.consumed(spent).model_dump())


def outcome(site: Site, request: HttpRequest, resource: Resource) -> HttpResponse:
    """POST /api/approvals/outcome: a resource reports the result of an execution."""
    body = wire.read(execution_wire.OutcomeReport, request.body)
    approval, done = site.approvals.outcomes.report(resource, body.record())
    return as_json(200, execution_wire.reported(approval.id, done).model_dump())


def _limit(text: str) -> int:
    if not _NUMBER.fullmatch(text) or not 0 < int(text) <= _MAX:
        raise errors.Problem(422, "invalid_body", f"limit must be 1 to {_MAX}.")
    return int(text)
