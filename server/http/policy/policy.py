"""Administration of policy: the rule set in force, the next one, and what one would do."""

import json

from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.policy import policy_wire as wire
from server.http.site import Site
from server.http.wire import read
from server.services.operations import policy_json
from server.services.operations.administration import AdminServices
from server.services.operations.trials import TrialRequest


def show(_site: Site, _request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """GET /api/policy."""
    return as_json(200, policy_json.policy(desk.policies.show()))


def put(_site: Site, request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """POST /api/policy: the next rule set, in force from the next request on."""
    body = read(wire.NewPolicy, request.body)
    return as_json(201, policy_json.policy(desk.policies.set(body.document, by=desk.by)))


def explain(_site: Site, request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """POST /api/policy/explain."""
    body = read(wire.PolicyCase, request.body)
    details = body.authorization_details
    wanted = TrialRequest(
        agent=body.agent,
        way=body.way,
        user=body.user,
        resource=body.resource,
        scope=tuple(body.scope),
        details=None if details is None else json.dumps(details),
        acr=body.acr_values,
    )
    return as_json(200, policy_json.explained(desk.trials.explain(wanted, body.policy)))


def test(_site: Site, request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """POST /api/policy/test."""
    body = read(wire.PolicyTable, request.body)
    return as_json(200, policy_json.tried(desk.trials.test(body.table, body.policy)))


def dry_run(_site: Site, request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """POST /api/policy/dry-run."""
    body = read(wire.PolicyReplay, request.body)
    found = desk.replays.replay(body.last * 1000, body.policy)
    return as_json(200, policy_json.replayed(found))
