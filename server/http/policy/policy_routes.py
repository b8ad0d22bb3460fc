"""Routes of policy."""

from typing import Final

from server.http.policy import policy
from server.http.policy import policy_wire as wire
from server.http.route import Caller, Route
from server.services.operations.authority import AccessRule, Role

_PERSON = Caller.PERSON
_LOOKS = AccessRule((Role.ADMIN, Role.AUDITOR))

POLICY_ROUTES: Final = (
    Route(
        "GET",
        "/api/policy",
        policy.show,
        _PERSON,
        "Get the policy in force.",
        answer=wire.Policy,
        errors=(401, 403, 404),
        rule=_LOOKS,
    ),
    Route(
        "POST",
        "/api/policy",
        policy.put,
        _PERSON,
        "Put another policy in force.",
        body=wire.NewPolicy,
        answer=wire.Policy,
        status=201,
        errors=(401, 403, 404, 409, 422),
        rule=AccessRule((Role.ADMIN,), signed=True),
    ),
    Route(
        "POST",
        "/api/policy/explain",
        policy.explain,
        _PERSON,
        "Explain what would happen to one request, and by which rule.",
        body=wire.PolicyCase,
        answer=wire.PolicyExplanation,
        errors=(401, 403, 404, 422),
        rule=_LOOKS,
    ),
    Route(
        "POST",
        "/api/policy/test",
        policy.test,
        _PERSON,
        "Test a table of cases against the rules.",
        body=wire.PolicyTable,
        answer=wire.TriedCases,
        errors=(401, 403, 404, 422),
        rule=_LOOKS,
    ),
    Route(
        "POST",
        "/api/policy/dry-run",
        policy.dry_run,
        _PERSON,
        "Show what the rules would have changed recently.",
        body=wire.PolicyReplay,
        answer=wire.Replayed,
        errors=(401, 403, 404, 422),
        rule=_LOOKS,
    ),
)
