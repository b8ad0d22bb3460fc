"""What waits for a person, and their answers."""

import re

from server.http import narrowing_wire, resource_wire, wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.protocol import errors
from server.services.people import Person
from server.services.records import Resource

_MOST = 200
_NUMBER = re.compile(r"[0-9]{1,3}")


def listed(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/approvals?state=waiting|decided."""
    limit = _limit(request.query.get("limit", "50"))
    cursor = wire.read_cursor(request.query.get("cursor"))
    state = request.query.get("state", "waiting")
    if state not in {"waiting", "decided"}:
        raise errors.Problem(422, "invalid_body", "state must be waiting or decided.")
    find = site.approvals.waiting if state == "waiting" else site.approvals.decided
    return as_json(200, wire.approvals(find(person, limit, cursor)).model_dump())


def show(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/approvals/<id>: with the nonce for this device; it counts as seen."""
    shown = site.approvals.show(person, request.params["id"])
    return as_json(200, wire.approval(shown).model_dump())


def decide(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/approvals/<id>/decision."""
    body = wire.read(wire.SignedDecision, request.body)
    shown = site.approvals.decide(
        person, request.params["id"], body.decision, body.note, body.granted
    )
    return as_json(200, wire.approval(shown).model_dump())


def narrow(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/approvals/<id>/narrowing: the text of less, to be signed."""
    body = wire.read(narrowing_wire.Narrowing, request.body)
    less = site.approvals.narrowings.propose(person, request.params["id"], body.record())
    return as_json(200, narrowing_wire.proposed(less).model_dump())


def consume(site: Site, request: HttpRequest, resource: Resource) -> HttpResponse:
    """POST /api/approvals/consume: the resource spends it on one execution."""
    body = wire.read(resource_wire.Execution, request.body)
    spent = site.consumptions.consume(resource, body.record())
    return as_json(200, resource_wire.consumed(spent).model_dump())


def _limit(text: str) -> int:
    if not _NUMBER.fullmatch(text) or not 0 < int(text) <= _MOST:
        raise errors.Problem(422, "invalid_body", f"limit must be 1 to {_MOST}.")
    return int(text)
