"""Endpoints of policy: show and set the rule set; explain, test and replay requests."""

import json
from typing import Final

from server.http.policy import policy_wire as wire
from server.http.route import READS, STAFF, HttpRequest, managed
from server.http.site import Site
from server.services.operations import policy_json
from server.services.operations.administration import AdminServices
from server.services.operations.authority import AccessRule, Role
from server.services.operations.trials import TrialRequest


def show(_site: Site, _request: HttpRequest, admin: AdminServices) -> dict[str, object]:
    """GET /api/policy."""
    return policy_json.policy(admin.policies.show())


def put(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.NewPolicy
) -> dict[str, object]:
    """POST /api/policy: put a rule set in force."""
    return policy_json.policy(admin.policies.set(body.document, by=admin.by))


def explain(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.PolicyExplainInput
) -> dict[str, object]:
    """POST /api/policy/explain."""
    details = body.authorization_details
    wanted = TrialRequest(
        agent=body.agent,
        flow=body.flow,
        user=body.user,
        resource=body.resource,
        scope=tuple(body.scope),
        details=None if details is None else json.dumps(details),
        acr=body.acr_values,
    )
    return policy_json.explained(admin.trials.explain(wanted, body.policy))


def test(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.PolicyTestInput
) -> dict[str, object]:
    """POST /api/policy/test."""
    return policy_json.tried(admin.trials.test(body.table, body.policy))


def dry_run(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.PolicyDryRunInput
) -> dict[str, object]:
    """POST /api/policy/dry-run."""
    found = admin.replays.replay(body.last * 1000, body.policy)
    return policy_json.replayed(found)


_LOOKS = AccessRule((Role.ADMIN, Role.AUDITOR))

POLICY_ROUTES: Final = (
    managed(
        "GET /api/policy",
        show,
        "Get the policy in force.",
        answer=wire.Policy,
        errors=(401, 403, 404),
    ),
    managed(
        "POST /api/policy",
        put,
        "Replace the policy.",
        answer=wire.Policy,
        status=201,
        signed=True,
    ),
    managed(
        "POST /api/policy/explain",
        explain,
        "Explain what would happen to one request, and by which rule.",
        answer=wire.PolicyExplanation,
        roles=STAFF,
        errors=READS,
    ),
    managed(
        "POST /api/policy/test",
        test,
        "Test a table of cases against the rules.",
        answer=wire.PolicyTestResults,
        roles=STAFF,
        errors=READS,
    ),
    managed(
        "POST /api/policy/dry-run",
        dry_run,
        "Show what the rules would have changed recently.",
        answer=wire.PolicyDryRun,
        roles=STAFF,
        errors=READS,
    ),
)
