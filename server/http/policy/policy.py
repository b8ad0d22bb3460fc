"""Endpoints of policy: show and set the rule set; explain, test and replay requests."""

import json
from typing import Final

from server.http.policy import policy_wire as wire
from server.http.route import READS, STAFF, HttpRequest, managed
from server.http.site import Site
from server.services.operations import policy_json
from server.services.operations.administration import AdminServices
from server.services.operations.trials import TrialRequest


@managed("GET /api/policy", answer=wire.Policy, errors=(401, 403, 404))
def show(_site: Site, _request: HttpRequest, admin: AdminServices) -> dict[str, object]:
    """Get the policy in force."""
    return policy_json.policy(admin.policies.show())


@managed("POST /api/policy", answer=wire.Policy, status=201, signed=True)
def put(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.NewPolicy
) -> dict[str, object]:
    """Replace the policy."""
    return policy_json.policy(admin.policies.set(body.document, by=admin.by))


@managed("POST /api/policy/explain", answer=wire.PolicyExplanation, roles=STAFF, errors=READS)
def explain(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.PolicyExplainInput
) -> dict[str, object]:
    """Explain what would happen to one request, and by which rule."""
    details = body.authorization_details
    trial_request = TrialRequest(
        agent=body.agent,
        flow=body.flow,
        user=body.user,
        resource=body.resource,
        scope=tuple(body.scope),
        details=None if details is None else json.dumps(details),
        acr=body.acr_values,
    )
    return policy_json.explanation_json(admin.trials.explain(trial_request, body.policy))


@managed("POST /api/policy/test", answer=wire.PolicyTestResults, roles=STAFF, errors=READS)
def test(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.PolicyTestInput
) -> dict[str, object]:
    """Test a table of cases against the rules."""
    return policy_json.test_results_json(admin.trials.test(body.table, body.policy))


@managed("POST /api/policy/dry-run", answer=wire.PolicyDryRun, roles=STAFF, errors=READS)
def dry_run(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.PolicyDryRunInput
) -> dict[str, object]:
    """Replay recent requests with the rules, and show what would change."""
    replay = admin.replays.replay(body.last * 1000, body.policy)
    return policy_json.replay_json(replay)


POLICY_ROUTES: Final = (show, put, explain, test, dry_run)
