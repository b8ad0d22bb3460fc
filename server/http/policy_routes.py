"""The rows of policy: who may look, try and set."""

from typing import Final

from server.http import policy_wire as wire
from server.http.endpoints import policy
from server.http.route import Caller, Route
from server.services.authority import Role, Rule

_PERSON = Caller.PERSON
_LOOKS = Rule((Role.ADMIN, Role.AUDITOR))

POLICY_ROUTES: Final = (
    Route(
        "GET",
        "/api/policy",
        policy.show,
        _PERSON,
        "The rule set in force.",
        answer=wire.Policy,
        errors=(401, 403, 404),
        rule=_LOOKS,
    ),
    Route(
        "POST",
        "/api/policy",
        policy.put,
        _PERSON,
        "Put another rule set in force.",
        body=wire.NewPolicy,
        answer=wire.Policy,
        status=201,
        errors=(401, 403, 404, 409, 422),
        rule=Rule((Role.ADMIN,), signed=True),
    ),
    Route(
        "POST",
        "/api/policy/explain",
        policy.explain,
        _PERSON,
        "What would happen to one case, and which rule makes it so.",
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
        "Hold a table of cases against the rules.",
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
        "What the rules would have changed of late.",
        body=wire.PolicyReplay,
        answer=wire.Replayed,
        errors=(401, 403, 404, 422),
        rule=_LOOKS,
    ),
)
