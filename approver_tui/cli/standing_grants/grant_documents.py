"""Standing grants as the JSON documents of `--json`. Members are only ever added."""

from approver_tui.cli.printing import rfc3339
from approver_tui.state.standing_grants.standing_grants import (
    GrantFact,
    GrantPreview,
    Money,
    StandingGrant,
)


def grant(value: StandingGrant) -> dict[str, object]:
    """Return a standing grant."""
    return {
        "id": value.id,
        "state": value.state.value,
        "agent": {"id": value.agent_id, "name": value.agent_name},
        "resource": value.resource,
        "scopes": list(value.scopes),
        "type": value.type,
        "pattern": _pattern(value.pattern),
        "risk": value.risk,
        "uses": value.uses,
        "used": value.used,
        "sum": _money(value.sum),
        "spent": _money(value.spent),
        "notify": value.notify,
        "approval": value.approval,
        "created_at": rfc3339(value.created_at),
        "expires_at": rfc3339(value.expires_at),
        "ended_at": rfc3339(value.ended_at),
        "ended_because": value.ended_because,
        "taken": [
            {
                "number": use.number,
                "approval": use.approval,
                "minor": use.minor,
                "state": use.state,
                "at": rfc3339(use.at),
            }
            for use in value.taken
        ],
    }


def preview(value: GrantPreview) -> dict[str, object]:
    """Return the preview of a grant."""
    return {
        "agent": value.agent_name,
        "resource": value.resource,
        "scopes": list(value.scopes),
        "pattern": _pattern(value.pattern),
        "risk": value.risk,
        "given_at": value.given_at,
        "uses": value.uses,
        "sum": _money(value.sum),
        "expires_at": rfc3339(value.expires_at),
        "requests": [
            {
                "id": one.id,
                "fingerprint": one.fingerprint,
                "state": one.state,
                "created_at": rfc3339(one.created_at),
                "covered": one.mismatch is None,
                "mismatch": one.mismatch,
            }
            for one in value.requests
        ],
    }


def _pattern(found: tuple[GrantFact, ...]) -> list[dict[str, object]]:
    return [{"label": fact.label, "value": fact.value} for fact in found]


def _money(value: Money | None) -> dict[str, object] | None:
    if value is None:
        return None
    return {"minor": value.minor, "currency": value.currency, "text": value.words}
