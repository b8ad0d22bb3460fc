"""Routes of policy."""

from typing import Final

from server.http.policy import policy
from server.http.policy import policy_wire as wire
from server.http.route import READS, STAFF, managed
from server.services.operations.authority import AccessRule, Role

_LOOKS = AccessRule((Role.ADMIN, Role.AUDITOR))

POLICY_ROUTES: Final = (
    managed(
        "GET /api/policy",
        policy.show,
        "Get the policy in force.",
        answer=wire.Policy,
        errors=(401, 403, 404),
    ),
    managed(
        "POST /api/policy",
        policy.put,
        "Replace the policy.",
        answer=wire.Policy,
        status=201,
        signed=True,
    ),
    managed(
        "POST /api/policy/explain",
        policy.explain,
        "Explain what would happen to one request, and by which rule.",
        answer=wire.PolicyExplanation,
        roles=STAFF,
        errors=READS,
    ),
    managed(
        "POST /api/policy/test",
        policy.test,
        "Test a table of cases against the rules.",
        answer=wire.PolicyTestResults,
        roles=STAFF,
        errors=READS,
    ),
    managed(
        "POST /api/policy/dry-run",
        policy.dry_run,
        "Show what the rules would have changed recently.",
        answer=wire.PolicyDryRun,
        roles=STAFF,
        errors=READS,
    ),
)
