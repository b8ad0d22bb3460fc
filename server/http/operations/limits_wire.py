"""The JSON of limits."""

from pydantic import BaseModel

from server.http.wire import Named
from server.services.operations import limits_json
from server.services.operations.limits import LimitsOverview


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
    document = limits_json.overview(found)
    for one in document["items"]:
        one["source"] = sources.get(one["setting"])
    return LimitsAnswer.model_validate(document)
