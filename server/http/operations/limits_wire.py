"""The JSON of limits."""

from pydantic import BaseModel

from server.http.wire import Reference
from server.services.operations import limits_json
from server.services.operations.limits import LimitsOverview


class LimitCount(BaseModel):
    """A count of refusals, and for whom; `other` is an address or action types."""

    agent: Reference | None
    user: Reference | None
    other: str | None
    count: int


class NearLimit(LimitCount):
    """Who has used up most of a limit; `reached` if all of it."""

    reached: bool


class LimitDocument(BaseModel):
    """One limit; `setting` is null if it is fixed.

    `within_seconds` is null if it counts open requests.
    """

    name: str
    what: str
    counted_per: str
    value: int
    within_seconds: int | None
    setting: str | None
    source: str | None
    near: list[NearLimit]
    refusals: list[LimitCount]


class Limits(BaseModel):
    """Every limit; `complete` is false if only the newest rows were counted."""

    items: list[LimitDocument]
    held_back: list[LimitCount]
    complete: bool


def answer(limits_overview: LimitsOverview, settings: list[tuple[str, str, str]]) -> Limits:
    """Limits as JSON, with the sources of their settings."""
    sources = {name: source for name, _, source in settings}
    document = limits_json.overview(limits_overview)
    for item in document["items"]:
        item["source"] = sources.get(item["setting"])
    return Limits.model_validate(document)
