"""Narrowing as JSON: what an approver would grant instead, and how it reads."""

from typing import Literal

from pydantic import Field

from server.http.wire import RecordResponse, StrictBody
from server.model.approvals import Approval
from server.model.granted import differences_of, effective_digest, granted_headline
from server.protocol.approvals.narrowing import Change
from server.protocol.policy import uses
from server.services.approvals.narrowing import Narrowable, Narrowed, RequestedNarrowing


class FactChange(StrictBody):
    """A narrower value: the index of the details object, the pointer in it, and the typed value."""

    place: int = Field(default=0, ge=0, le=99)
    fact: str = Field(pattern=r"^(/([^~/]|~[01])*)+$", max_length=512)
    to: str = Field(max_length=1_000)

    def record(self) -> Change:
        """Convert to the services' type."""
        return Change(self.place, uses.as_path(self.fact), self.to)


class Narrowing(StrictBody):
    """The narrower request to grant instead of the original."""

    drop_scopes: list[str] = Field(default=[], max_length=200)
    changes: list[FactChange] = Field(default=[], max_length=200)
    token_seconds: int | None = Field(default=None, ge=1, le=86_400)

    def record(self) -> RequestedNarrowing:
        """Convert to the services' type."""
        changes = tuple(change.record() for change in self.changes)
        return RequestedNarrowing(tuple(self.drop_scopes), changes, self.token_seconds)


class GrantedFact(RecordResponse):
    """A fact whose granted value differs from the requested value."""

    label: str
    asked: str
    granted: str


class GrantedAction(RecordResponse):
    """The granted action, if it is narrower than the request. The digest is of `text` as sent.

    `headline` describes what is granted in one line, like the headline of the display.
    """

    text: str
    digest: str
    headline: str
    changes: list[GrantedFact]


class NarrowingFact(RecordResponse):
    """A fact that can be narrowed, with its requested value. A list has `items`."""

    place: int
    fact: str
    label: str
    asked: str
    rule: Literal["lower", "drop", "earlier", "turn_on"]
    items: list[str]


class NarrowingOptions(RecordResponse):
    """The scopes and facts of a request that can be narrowed."""

    scopes: list[str]
    facts: list[NarrowingFact]
    token_seconds: int


def narrowing_options(options: Narrowable) -> NarrowingOptions:
    """Return the parts that can be narrowed as JSON."""
    facts = [
        NarrowingFact.of(fact, place=index, fact=fact.pointer) for index, fact in options.facts
    ]
    return NarrowingOptions.of(options, facts=facts)


def proposed(narrowed: Narrowed) -> GrantedAction:
    """A proposed narrowing as JSON."""
    return GrantedAction.of(narrowed, changes=narrowed.rows)


def granted(record: Approval) -> GrantedAction | None:
    """The granted text, if the request was narrowed."""
    headline = granted_headline(record)
    if record.granted is None or headline is None:
        return None
    return GrantedAction.model_validate(
        {
            "text": record.granted,
            "digest": effective_digest(record),
            "headline": headline,
            "changes": differences_of(record),
        }
    )
