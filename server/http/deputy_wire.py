"""Deputies, as JSON."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from server.http.wire import Named
from server.services.deputies import Standing, Wanted
from server.services.displays import rfc3339

_MOMENT = 40


class NewDeputy(BaseModel):
    """Who decides for me, from when to when (RFC 3339), and my device's word for it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    deputy: str = Field(min_length=1, max_length=256)
    begins: str = Field(alias="from", max_length=_MOMENT)
    ends: str = Field(alias="to", max_length=_MOMENT)
    statement: str = Field(max_length=8_192)

    def record(self) -> Wanted:
        """The same for the services, without the word."""
        return Wanted(self.deputy, self.begins, self.ends)


class Deputy(BaseModel):
    """Somebody who decides for somebody."""

    id: str
    user: Named
    deputy: Named
    begins: str = Field(serialization_alias="from")
    ends: str = Field(serialization_alias="to")
    state: Literal["named", "begun", "over"]


class Deputies(BaseModel):
    """Whom I named, and for whom I decide or will."""

    mine: list[Deputy]
    others: list[Deputy]


class ManagedDeputies(BaseModel):
    """All that are not over, by their end."""

    items: list[Deputy]


def deputy(standing: Standing) -> Deputy:
    """A deputy as JSON."""
    record = standing.deputy
    return Deputy(
        id=record.id,
        user=Named(id=record.user_id, name=standing.user_name),
        deputy=Named(id=record.deputy_id, name=standing.deputy_name),
        begins=rfc3339(record.from_at),
        ends=rfc3339(record.to_at),
        state=record.state,
    )
