"""The JSON of limits."""

from pydantic import BaseModel

from server.http.wire import Named
from server.services.operations.limits import LimitsOverview, LimitStatus, LimitSubject


class Counted(BaseModel):
    """A count of refusals, and for whom; `other` is an address or action types."""

    agent: Named | None
    user: Named | None
    other: str | None
    count: int


class NearLimit(Counted):
    """Who has used up most of a limit; `over` if all of it."""

    over: bool


class LimitDocument(BaseModel):
    """One limit; `setting` is null if it is fixed.

    `within_seconds` is null if it counts open requests.
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
    """Every limit; `whole` is false if only the newest rows were counted."""

    items: list[LimitDocument]
    held_back: list[Counted]
    whole: bool


def answer(found: LimitsOverview, settings: list[tuple[str, str, str]]) -> LimitsAnswer:
    """Limits as JSON, with the sources of their settings."""
    sources = {name: source for name, _, source in settings}
    return LimitsAnswer(
        items=[_limit(one, found, sources) for one in found.limits],
        held_back=[_counted(who, count, found) for who, count in found.held_back],
        whole=found.whole,
    )


def _limit(one: LimitStatus, found: LimitsOverview, sources: dict[str, str]) -> LimitDocument:
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


def _counted(who: LimitSubject, count: int, found: LimitsOverview) -> Counted:
    def named(key: str | None) -> Named | None:
        return None if key is None else Named(id=key, name=found.names[key])

    return Counted(
        agent=named(who.agent_id), user=named(who.user_id), other=who.other or None, count=count
    )
