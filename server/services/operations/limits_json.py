"""The JSON of limits, for the command line and the API."""

from typing import Any

from server.services.operations.limits import LimitsOverview, LimitStatus, LimitSubject


def overview(found: LimitsOverview) -> dict[str, Any]:
    """All limits, who is near each, and who reached it."""
    return {
        "items": [_limit(limit, found) for limit in found.limits],
        "held_back": [_counted(who, count, found) for who, count in found.held_back],
        "complete": found.complete,
    }


def _limit(one: LimitStatus, found: LimitsOverview) -> dict[str, object]:
    limit = one.limit
    return {
        "name": limit.name,
        "what": limit.what,
        "counted_per": limit.counted_per,
        "value": one.value,
        "within_seconds": None if limit.within_ms is None else limit.within_ms // 1000,
        "setting": limit.setting,
        "near": [
            {**_counted(near.who, near.count, found), "reached": near.reached} for near in one.near
        ],
        "refusals": [_counted(who, count, found) for who, count in one.refusals],
    }


def _counted(who: LimitSubject, count: int, found: LimitsOverview) -> dict[str, object]:
    def named(key: str | None) -> dict[str, str] | None:
        return None if key is None else {"id": key, "name": found.names[key]}

    agent, user = named(who.agent_id), named(who.user_id)
    return {"agent": agent, "user": user, "other": who.other or None, "count": count}
