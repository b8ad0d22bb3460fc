"""Standing grants as JSON."""

from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, Field

from server.http.wire import Listed, Reference, RiskWord, StrictBody
from server.model.standing_grants import GrantUse
from server.protocol.approvals import decisions
from server.protocol.policy import uses as pointers
from server.protocol.standing_grants.standing_grants import Sum
from server.protocol.times import rfc3339, rfc3339_or_none
from server.services.standing_grants.displays import money_text, pattern_facts
from server.services.standing_grants.proposals import (
    CheckedProposal,
    SubmittedProposal,
    TriedRequest,
)
from server.services.standing_grants.standing_grants import NamedStandingGrant

_MAX_VARY = 50


class VaryingFact(StrictBody):
    """A member of the details that can vary. A number or an amount has a maximum."""

    fact: str = Field(pattern=r"^(/([^~/]|~[01])*)+$", max_length=512)
    up_to: str | None = Field(default=None, max_length=64)


class GrantProposal(StrictBody):
    """The limits of a standing grant for requests that are similar to this one."""

    approval: str = Field(max_length=64)
    seconds: int = Field(ge=1, le=2**53 - 1)
    uses: int = Field(ge=1, le=2**53 - 1)
    sum: str | None = Field(default=None, max_length=64)
    vary: list[VaryingFact] = Field(default=[], max_length=_MAX_VARY)
    notify: bool = True

    def record(self) -> SubmittedProposal:
        """Convert to the services' type."""
        vary = tuple((pointers.as_path(member.fact), member.up_to) for member in self.vary)
        return SubmittedProposal(
            self.approval, self.seconds, self.uses, self.sum, vary, self.notify
        )


class Money(BaseModel):
    """An amount in minor units, and its formatted text."""

    minor: int
    currency: str
    text: str


class PatternFact(BaseModel):
    """A member of the details, with its required value or its allowed range."""

    label: str
    value: str


class PastRequest(BaseModel):
    """A past request, and whether the grant would have covered it. `mismatch` says why not."""

    id: str
    state: str
    fingerprint: str
    created_at: str
    covered: bool
    mismatch: str | None


class GrantPreview(BaseModel):
    """A preview of a standing grant. No standing grant was created."""

    agent: Reference
    resource: str
    scopes: list[str]
    type: str | None
    pattern: list[PatternFact]
    risk: RiskWord
    given_at: RiskWord
    uses: int
    sum: Money | None
    expires_at: str
    notify: bool
    requests: list[PastRequest]


class StandingGrant(BaseModel):
    """A standing grant, with its limits and its remaining uses."""

    id: str
    state: Literal["live", "full", "expired", "ended"]
    agent: Reference
    resource: str
    scopes: list[str]
    type: str | None
    pattern: list[PatternFact]
    risk: RiskWord
    uses: int
    used: int
    sum: Money | None
    spent: Money | None
    notify: bool
    approval: str
    created_at: str
    expires_at: str
    ended_at: str | None
    ended_because: str | None


class StandingGrants(BaseModel):
    """The standing grants of a person."""

    items: list[StandingGrant]


class StandingGrantUse(BaseModel):
    """A use of a standing grant, and the request that used it."""

    number: int
    approval: str
    minor: int
    state: Literal["reserved", "spent", "released"]
    at: str


class StandingGrantDetails(StandingGrant):
    """A standing grant with its uses."""

    taken: list[StandingGrantUse]


class ManagedGrant(StandingGrant):
    """A standing grant with its user."""

    user: Reference


class ManagedGrants(Listed[ManagedGrant]):
    """A page of the list of standing grants, newest first."""


def preview(proposal: CheckedProposal, past: list[TriedRequest]) -> GrantPreview:
    """The preview of a grant as JSON."""
    return GrantPreview(
        agent=Reference(id=proposal.example.agent.id, name=proposal.example.agent.name),
        resource=proposal.example.target.resource.uri,
        scopes=list(proposal.example.target.scope),
        type=None if proposal.example.action is None else proposal.example.action.type,
        pattern=[
            PatternFact(label=label, value=value)
            for label, value in pattern_facts(proposal.example.action, proposal.pattern)
        ],
        risk=str(proposal.example.risk),  # type: ignore[arg-type]  # the risks are these words
        given_at=str(proposal.given_at),  # type: ignore[arg-type]  # as above
        uses=proposal.bounds.uses,
        sum=_money(proposal.bounds.sum),
        expires_at=rfc3339(proposal.bounds.until),
        notify=proposal.notify,
        requests=[_past(request) for request in past],
    )


def grant(standing_grant: NamedStandingGrant, now: int) -> StandingGrant:
    """A standing grant as JSON."""
    record = standing_grant.grant
    total = record.bounds.sum
    spent = None if total is None else replace(total, minor=record.spent_minor)
    return StandingGrant(
        id=record.id,
        state=record.state(now),
        agent=Reference(id=record.agent_id, name=standing_grant.agent_name),
        resource=record.resource,
        scopes=list(record.scopes),
        type=record.type,
        pattern=[
            PatternFact(label=label, value=value)
            for label, value in pattern_facts(standing_grant.action, record.pattern)
        ],
        risk=str(record.risk),  # type: ignore[arg-type]  # the risks are these words
        uses=record.uses,
        used=record.used,
        sum=_money(total),
        spent=_money(spent),
        notify=record.notify,
        approval=record.approval_id,
        created_at=rfc3339(record.created_at),
        expires_at=rfc3339(record.expires_at),
        ended_at=rfc3339_or_none(record.ended_at),
        ended_because=record.ended_because,
    )


def details(standing_grant: NamedStandingGrant, now: int) -> StandingGrantDetails:
    """A standing grant with its uses, as JSON."""
    grant_uses = [_use(use) for use in standing_grant.uses]
    return StandingGrantDetails(**grant(standing_grant, now).model_dump(), taken=grant_uses)


def managed(standing_grant: NamedStandingGrant, now: int) -> ManagedGrant:
    """A standing grant for administrators, as JSON."""
    user = Reference(id=standing_grant.grant.user_id, name=standing_grant.user_name)
    return ManagedGrant(**grant(standing_grant, now).model_dump(), user=user)


def _money(value: Sum | None) -> Money | None:
    if value is None:
        return None
    return Money(minor=value.minor, currency=value.currency, text=money_text(value))


def _past(tried_request: TriedRequest) -> PastRequest:
    approval = tried_request.approval
    return PastRequest(
        id=approval.id,
        state=str(approval.state),
        fingerprint=decisions.fingerprint(approval.action_digest),
        created_at=rfc3339(approval.created_at),
        covered=tried_request.mismatch is None,
        mismatch=tried_request.mismatch,
    )


def _use(grant_use: GrantUse) -> StandingGrantUse:
    return StandingGrantUse(
        number=grant_use.number,
        approval=grant_use.approval_id,
        minor=grant_use.minor,
        state=grant_use.state,
        at=rfc3339(grant_use.at),
    )
