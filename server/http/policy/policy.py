"""Endpoints of policy: show and set the rule set; explain, test and replay requests."""

import json

from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.policy import policy_wire as wire
from server.http.site import Site
from server.http.wire import read
from server.services.operations import policy_json
from server.services.operations.administration import AdminServices
from server.services.operations.trials import TrialRequest


def show(_site: Site, _request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/policy."""
    return as_json(200, policy_json.policy(admin.policies.show()))


def put(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/policy: put a rule set in force."""
    body = read(wire.NewPolicy, request.body)
    return as_json(201, policy_json.policy(admin.policies.set(body.document, by=admin.by)))


def explain(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
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
    return as_json(200, policy_json.explained(admin.trials.explain(wanted, body.policy)))


def test(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/policy/test."""
    body = read(wire.PolicyTable, request.body)
    return as_json(200, policy_json.tried(admin.trials.test(body.table, body.policy)))


def dry_run(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/policy/dry-run."""
    body = read(wire.PolicyReplay, request.body)
    found = admin.replays.replay(body.last * 1000, body.policy)
    return as_json(200, policy_json.replayed(found))
