"""The JSON of policy, trials and replays, for the command line and the API."""

from collections.abc import Sequence
from dataclasses import asdict

from server.lazy_imports import lazily

with lazily():
    from server.model.policy import PolicyRow
    from server.protocol.approvals import ceremonies
    from server.protocol.times import rfc3339
    from server.services.operations.replays import Replay
    from server.services.operations.trials import PolicyTestResult, TrialResult
    from server.services.policy import builtin, documents


def policy(row: PolicyRow) -> dict[str, object]:
    """Return a rule set as JSON. `names` contains its agents and users, with their IDs."""
    default = row.version == builtin.DEFAULT_VERSION
    return {
        "version": row.version,
        "hash": row.hash,
        "default": default,
        "set_by": row.set_by,
        "set_at": None if default else rfc3339(row.set_at),
        "names": {"agents": dict(row.agents), "users": dict(row.users)},
        "alone_at_critical": list(documents.parse_policy(row.document).single_approver_at_critical),
        "document": row.document,
    }


def explanation_json(explanation: TrialResult) -> dict[str, object]:
    """Return the explanation of one case as JSON."""
    verdict = explanation.verdict
    return {
        "outcome": verdict.outcome,
        "then": explanation.next_step,
        "risk": str(verdict.risk),
        "because": verdict.because,
        "rules": [
            {"id": rule.id, "outcome": rule.outcome, "because": rule.because}
            for rule in explanation.rules
        ],
        "unusual": [str(code) for code in explanation.unusual],
        "consent": explanation.consent,
        "standing_grant": _standing_grant(explanation),
        "asks": _asks(explanation),
        "policy": {"version": verdict.source.version, "hash": verdict.source.hash},
        "token": None if explanation.token is None else dict(explanation.token),
        "token_seconds": None if explanation.token is None else explanation.seconds,
    }


def test_results_json(test_results: Sequence[PolicyTestResult]) -> dict[str, object]:
    """Return the results for a table of cases as JSON."""
    items = [
        {**asdict(case), "passed": case.passed, "problem": case.problem or None}
        for case in test_results
    ]
    return {"passed": all(case.passed for case in test_results), "items": items}


def replay_json(replay: Replay) -> dict[str, object]:
    """Return the result of a replay as JSON."""
    members = asdict(replay)
    source = members.pop("source")
    return {
        **members,
        "since": rfc3339(replay.since),
        "until": rfc3339(replay.until),
        "policy": {"version": source["version"], "hash": source["hash"]},
        "changes": [{**asdict(change), "at": rfc3339(change.at)} for change in replay.changes],
    }


def _asks(explanation: TrialResult) -> dict[str, object] | None:
    needs, audience = explanation.verdict.requirements, explanation.audience
    if needs is None or audience is None:
        return None
    return {
        "risk": str(needs.risk),
        "ceremony": ceremonies.ceremony_text(needs.ceremony),
        "quorum": needs.quorum,
        "ttl": needs.seconds,
        "people": [asdict(person) for person in audience.people],
        "excluded": list(audience.excluded),
        "deputies": list(audience.deputies),
        "backup": audience.backup and {"name": audience.backup, "at_once": audience.at_once},
    }


def _standing_grant(explanation: TrialResult) -> dict[str, object] | None:
    """Return the standing grant that would decide the request, and its uses."""
    grant = explanation.standing_grant
    return None if grant is None else {"id": grant.id, "used": grant.used, "uses": grant.uses}
