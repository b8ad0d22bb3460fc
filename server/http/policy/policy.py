"""Policy endpoints: show and set the rule set; explain, test and replay requests."""

import json
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field

from server.http.route import READS, STAFF, managed
from server.http.wire import Names, RecordResponse, RiskWord, StrictBody, Text, Time
from server.model.policy import PolicyRow
from server.protocol.approvals import ceremonies
from server.services.operations.administration import AdminServices
from server.services.operations.replays import Replay
from server.services.operations.trials import PolicyTestResult as TestedCase
from server.services.operations.trials import TrialRequest, TrialResult
from server.services.policy import builtin, documents

_RequestFlow = Literal["request", "exchange", "client_credentials", "app"]
_Outcome = Literal["allow", "ask", "deny"]


class NewPolicy(StrictBody):
    """A policy, as the text of its TOML file."""

    document: str


class PolicyExplainInput(StrictBody):
    """The request to evaluate. Agents and users are names or IDs."""

    agent: Text
    flow: _RequestFlow = "request"
    user: Text | None = None
    resource: Text | None = None
    scope: Names = Field(default_factory=list)
    authorization_details: list[dict[str, Any]] | None = None
    acr_values: str | None = None
    policy: str | None = None
    """The rules to use instead of the current policy."""


class PolicyTestInput(StrictBody):
    """The test cases, as the text of a TOML file."""

    table: str
    policy: str | None = None


class PolicyDryRunInput(StrictBody):
    """The number of seconds to go back, and the policy to replay with."""

    last: int = Field(default=604_800, ge=1, le=2_678_400)
    policy: str | None = None


class PolicySource(RecordResponse):
    """The policy that was used."""

    version: int
    hash: str


class Policy(RecordResponse):
    """A policy, and what its names referred to when it was set."""

    version: int
    hash: str
    default: bool
    set_by: str
    set_at: Time | None
    names: dict[str, dict[str, str]]
    alone_at_critical: list[str]
    document: str


class CitedRule(RecordResponse):
    """A rule that led to the outcome."""

    id: str
    outcome: _Outcome
    because: str


class PolicyApprover(RecordResponse):
    """A person who would be asked, and the reason."""

    name: str
    why: Literal["asked", "group", "backup", "deputy"]
    approves: bool
    group: str | None


class BackupApprover(BaseModel):
    """The backup of the person, who is asked immediately at critical risk, otherwise later."""

    name: str
    at_once: bool


class PolicyApprovalNeeds(RecordResponse):
    """The requirements for an approval, and the eligible approvers."""

    risk: RiskWord
    ceremony: str
    quorum: int
    ttl: int
    people: list[PolicyApprover]
    excluded: list[str]
    deputies: list[str]
    backup: BackupApprover | None


class CoveringGrant(RecordResponse):
    """A standing grant that would approve the request, and its used and total uses."""

    id: str
    used: int
    uses: int


class PolicyExplanation(RecordResponse):
    """The outcome of a request, and the reason for it."""

    outcome: _Outcome
    then: Literal["token", "person", "refused"]
    risk: RiskWord
    because: str
    rules: list[CitedRule]
    unusual: list[str]
    consent: bool | None
    standing_grant: CoveringGrant | None
    asks: PolicyApprovalNeeds | None
    policy: PolicySource
    token: dict[str, Any] | None
    token_seconds: int | None


class PolicyTestResult(RecordResponse):
    """The result of one test case."""

    name: str
    passed: bool
    expected: dict[str, Any]
    found: dict[str, Any]
    problem: str | None


class PolicyTestResults(BaseModel):
    """The results of all test cases."""

    passed: bool
    items: list[PolicyTestResult]


class PolicyChange(RecordResponse):
    """A past request that would have a different outcome."""

    at: Time
    flow: _RequestFlow
    id: str
    agent: str
    user: str | None
    resource: str | None
    scope: list[str]
    types: list[str]
    before: _Outcome
    after: _Outcome
    rules: list[str]
    standing_grant: str | None
    quorum_before: int | None
    quorum: int | None
    approvers: list[str]


class PolicyDryRun(RecordResponse):
    """The past requests that would have a different outcome."""

    since: Time
    until: Time
    policy: PolicySource
    evaluated: int
    skipped: int
    complete: bool
    before: dict[str, int]
    after: dict[str, int]
    changed: int
    changes: list[PolicyChange]


def policy(row: PolicyRow) -> Policy:
    """Return a rule set as JSON. `names` contains its agents and users, with their IDs."""
    default = row.version == builtin.DEFAULT_VERSION
    return Policy.of(
        row,
        default=default,
        set_at=None if default else row.set_at,
        names={"agents": row.agents, "users": row.users},
        alone_at_critical=documents.parse_policy(row.document).single_approver_at_critical,
    )


def explanation(result: TrialResult) -> PolicyExplanation:
    """Return the explanation of one request as JSON."""
    return PolicyExplanation.of(
        result.verdict,
        then=result.next_step,
        rules=result.rules,
        unusual=result.unusual,
        consent=result.consent,
        standing_grant=result.standing_grant,
        asks=_asks(result),
        policy=result.verdict.source,
        token=result.token,
        token_seconds=None if result.token is None else result.seconds,
    )


def results(cases: Sequence[TestedCase]) -> PolicyTestResults:
    """Return the results for a table of cases as JSON."""
    items = [PolicyTestResult.of(case, problem=case.problem or None) for case in cases]
    return PolicyTestResults(passed=all(case.passed for case in cases), items=items)


def replay(record: Replay) -> PolicyDryRun:
    """Return the result of a replay as JSON."""
    return PolicyDryRun.of(record, policy=record.source)


def _asks(result: TrialResult) -> PolicyApprovalNeeds | None:
    needs, audience = result.verdict.requirements, result.audience
    if needs is None or audience is None:
        return None
    return PolicyApprovalNeeds.of(
        audience,
        risk=needs.risk,
        ceremony=ceremonies.ceremony_text(needs.ceremony),
        quorum=needs.quorum,
        ttl=needs.seconds,
        backup=audience.backup and {"name": audience.backup, "at_once": audience.at_once},
    )


@managed("GET /api/policy", errors=(401, 403, 404))
def show(admin: AdminServices) -> Policy:
    """Get the active policy."""
    return policy(admin.policies.show())


@managed("POST /api/policy", status=201, signed=True, versioned=True)
def put(admin: AdminServices, body: NewPolicy) -> Policy:
    """Replace the policy."""
    return policy(admin.policies.set(body.document, by=admin.by))


@managed("POST /api/policy/explain", roles=STAFF, errors=READS)
def explain(admin: AdminServices, body: PolicyExplainInput) -> PolicyExplanation:
    """Explain what would happen to one request, and which rule decides."""
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
    return explanation(admin.trials.explain(trial_request, body.policy))


@managed("POST /api/policy/test", roles=STAFF, errors=READS)
def test(admin: AdminServices, body: PolicyTestInput) -> PolicyTestResults:
    """Test a table of cases against the rules."""
    return results(admin.trials.test(body.table, body.policy))


@managed("POST /api/policy/dry-run", roles=STAFF, errors=READS)
def dry_run(admin: AdminServices, body: PolicyDryRunInput) -> PolicyDryRun:
    """Replay recent requests with the rules, and show what would change."""
    return replay(admin.replays.replay(body.last * 1000, body.policy))
