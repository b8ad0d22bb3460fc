"""Deputies as JSON."""

from typing import Literal

from pydantic import BaseModel, Field

from server.http.wire import RecordResponse, Reference, SignedStatement, Time
from server.services.approvers.deputies import NamedDeputy, RequestedDeputy

_MOMENT = 40


class NewDeputy(SignedStatement):
    """A deputy to add, the period (RFC 3339), and a signed statement."""

    deputy: str = Field(min_length=1, max_length=256)
    begins: str = Field(alias="from", max_length=_MOMENT)
    ends: str = Field(alias="to", max_length=_MOMENT)

    def record(self) -> RequestedDeputy:
        """Convert to the services' type, without the statement."""
        return RequestedDeputy(self.deputy, self.begins, self.ends)


class Deputy(RecordResponse):
    """A person who can decide for another person during a period."""

    id: str
    user: Reference
    deputy: Reference
    begins: Time = Field(alias="from")
    ends: Time = Field(alias="to")
    state: Literal["named", "begun", "over"]


class Deputies(BaseModel):
    """The deputies of a person, and the people that the person is a deputy for."""

    mine: list[Deputy]
    others: list[Deputy]


class ManagedDeputies(BaseModel):
    """Current and future deputies, ordered by the end of their period."""

    items: list[Deputy]


def deputy(named_deputy: NamedDeputy) -> Deputy:
    """A deputy as JSON."""
    record = named_deputy.deputy
    return Deputy.of(
        record,
        user=Reference(id=record.user_id, name=named_deputy.user_name),
        deputy=Reference(id=record.deputy_id, name=named_deputy.deputy_name),
        begins=record.from_at,
        ends=record.to_at,
    )
