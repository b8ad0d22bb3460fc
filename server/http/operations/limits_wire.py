"""The JSON of limits."""

from pydantic import BaseModel

from server.http.wire import Reference
from server.services.operations.limits import LimitsOverview, overview_json


class LimitCount(BaseModel):
    """The number of refusals of an agent or a user. `other` is an IP address or action types."""

    agent: Reference | None
    user: Reference | None
    other: str | None
    count: int


class NearLimit(LimitCount):
    """An agent or a user close to a limit. `reached` is true if the limit is used up."""

    reached: bool


class LimitDocument(BaseModel):
    """A limit. `setting` is null if the limit is fixed.

    `within_seconds` is null if the limit counts open requests.
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
    """Every limit. `complete` is false if only the newest rows were counted."""

    items: list[LimitDocument]
    held_back: list[LimitCount]
    complete: bool


def answer(limits_overview: LimitsOverview, settings: list[tuple[str, str, str]]) -> Limits:
    """Limits as JSON, with the sources of their settings."""
    sources = {name: source for name, _, source in settings}
    document = overview_json(limits_overview)
    for item in document["items"]:
        item["source"] = sources.get(item["setting"])
    return Limits.model_validate(document)
