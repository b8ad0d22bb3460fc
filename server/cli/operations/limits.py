"""The output of limits on the command line."""

from collections.abc import Iterator

from server.cli.output import table
from server.services.operations.limits import LimitsOverview, LimitStatus, LimitSubject
from server.settings import PREFIX


def limits_document(found: LimitsOverview) -> dict[str, object]:
    """The JSON of all limits, with the API's names, without the sources of settings."""
    return {
        "items": [_limit(one, found) for one in found.limits],
        "held_back": [{**_who(who, found), "count": count} for who, count in found.held_back],
        "whole": found.whole,
    }


def limits_lines(found: LimitsOverview) -> list[str]:
    """A table of limits, and a line for everyone who is near a limit or reached it."""
    rows = [
        (one.limit.name, str(one.limit.value), one.limit.per, _set_by(one)) for one in found.limits
    ]
    return [*table(("limit", "value", "per", "set by"), rows), "", *_remarks(found)]


def _remarks(found: LimitsOverview) -> Iterator[str]:
    for one in found.limits:
        name, most = one.limit.name, one.limit.value
        for near in one.near:
            where = "at" if near.over else "near"
            yield f"{_called(near.who, found)} is {where} {name}: {near.count} of {most}."
        for who, count in one.lately:
            yield f"{_called(who, found)} was refused by {name} {count} times in the last day."
    for who, count in found.held_back:
        yield f"{count} requests of the last day did not notify {_called(who, found)}."
    if not found.whole:
        yield "Only the newest rows were counted."


def _limit(one: LimitStatus, found: LimitsOverview) -> dict[str, object]:
    limit = one.limit
    return {
        "name": limit.name,
        "what": limit.what,
        "per": limit.per,
        "value": limit.value,
        "within_seconds": None if limit.within_ms is None else limit.within_ms // 1000,
        "setting": _set_by(one) if limit.set else None,
        "near": [
            {**_who(near.who, found), "count": near.count, "over": near.over} for near in one.near
        ],
        "lately": [{**_who(who, found), "count": count} for who, count in one.lately],
    }


def _set_by(one: LimitStatus) -> str:
    return f"{PREFIX}{one.limit.name.upper()}" if one.limit.set else "fixed"


def _who(who: LimitSubject, found: LimitsOverview) -> dict[str, object]:
    def named(key: str | None) -> dict[str, str] | None:
        return None if key is None else {"id": key, "name": found.names[key]}

    return {"agent": named(who.agent_id), "user": named(who.user_id), "other": who.other or None}


def _called(who: LimitSubject, found: LimitsOverview) -> str:
    ids = [found.names[key] for key in (who.agent_id, who.user_id) if key is not None]
    return " and ".join([*ids, *([who.other] if who.other else [])]) or "everybody"
