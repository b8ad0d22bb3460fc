"""Limits, and who is near them, as models."""

from pydantic import BaseModel

from server.http.wire import Named
from server.services.limits import Picture, Standing, Who


class Counted(BaseModel):
    """For whom how many were counted; `other` is an address or action types."""

    agent: Named | None
    user: Named | None
    other: str | None
    count: int


class NearLimit(Counted):
    """Somebody who has used up most of a limit; `over` where it is all of it."""

    over: bool


class LimitDocument(BaseModel):
    """One limit; `setting` is None for one that is fixed.

    `within_seconds` is None where what is open counts.
    """

    name: str
    what: str
    per: str
    value: int
    within_seconds: int | None
    setting: str | None
    source: str | None
    near: list[NearLimit]
    lately: list[Counted]


class LimitsAnswer(BaseModel):
    """Every limit; `whole` is false where only the newest rows were looked at."""

    items: list[LimitDocument]
    held_back: list[Counted]
    whole: bool


def answer(found: Picture, settings: list[tuple[str, str, str]]) -> LimitsAnswer:
    """Limits as JSON, with where each setting came from."""
    sources = {name: source for name, _, source in settings}
    return LimitsAnswer(
        items=[_limit(one, found, sources) for one in found.limits],
        held_back=[_counted(who, count, found) for who, count in found.held_back],
        whole=found.whole,
    )


def _limit(one: Standing, found: Picture, sources: dict[str, str]) -> LimitDocument:
    limit = one.limit
    setting = f"SAYSO_{limit.name.upper()}" if limit.set else None
    return LimitDocument(
        name=limit.name,
        what=limit.what,
        per=limit.per,
        value=limit.value,
        within_seconds=None if limit.within_ms is None else limit.within_ms // 1000,
        setting=setting,
        source=None if setting is None else sources.get(setting),
        near=[
            NearLimit(over=near.over, **_counted(near.who, near.count, found).model_dump())
            for near in one.near
        ],
        lately=[_counted(who, count, found) for who, count in one.lately],
    )


def _counted(who: Who, count: int, found: Picture) -> Counted:
    def named(key: str | None) -> Named | None:
        return None if key is None else Named(id=key, name=found.names[key])

    return Counted(
        agent=named(who.agent_id), user=named(who.user_id), other=who.other or None, count=count
    )
