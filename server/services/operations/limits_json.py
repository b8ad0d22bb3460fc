"""The JSON of limits, for the command line and the API."""

from typing import Any

from server.services.operations.limits import LimitsOverview, LimitStatus, LimitSubject


def overview(limits_overview: LimitsOverview) -> dict[str, Any]:
    """Return all limits as JSON, with who is near each limit, and who reached it."""
    return {
        "items": [_limit(limit, limits_overview) for limit in limits_overview.limits],
        "held_back": [
            _counted(who, count, limits_overview) for who, count in limits_overview.held_back
        ],
        "complete": limits_overview.complete,
    }


def _limit(limit_status: LimitStatus, limits_overview: LimitsOverview) -> dict[str, object]:
    limit = limit_status.limit
    return {
        "name": limit.name,
        "what": limit.what,
        "counted_per": limit.counted_per,
        "value": limit_status.value,
        "within_seconds": None if limit.within_ms is None else limit.within_ms // 1000,
        "setting": limit.setting,
        "near": [
            {**_counted(near.who, near.count, limits_overview), "reached": near.reached}
            for near in limit_status.near
        ],
        "refusals": [_counted(who, count, limits_overview) for who, count in limit_status.refusals],
    }


def _counted(who: LimitSubject, count: int, limits_overview: LimitsOverview) -> dict[str, object]:
    def named(key: str | None) -> dict[str, str] | None:
        return None if key is None else {"id": key, "name": limits_overview.names[key]}

    agent, user = named(who.agent_id), named(who.user_id)
    return {"agent": agent, "user": user, "other": who.other or None, "count": count}
