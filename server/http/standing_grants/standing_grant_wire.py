"""Standing grants as JSON."""

from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, Field

from server.http.wire import Listed, RecordResponse, Reference, RiskWord, StrictBody, Time
from server.protocol.approvals import decisions
from server.protocol.policy import uses as pointers
from server.protocol.policy.action_types import ActionType
from server.protocol.standing_grants.standing_grants import Pattern, Sum
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


class Money(RecordResponse):
    """An amount in minor units, and its formatted text."""

    minor: int
    currency: str
    text: str


class PatternFact(BaseModel):
    """A member of the details, with its required value or its allowed range."""

    label: str
    value: str


class PastRequest(RecordResponse):
    """A past request, and whether the grant would have covered it. `mismatch` says why not."""

    id: str
    state: str
    fingerprint: str
    created_at: Time
    covered: bool
    mismatch: str | None


class GrantPreview(RecordResponse):
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
    expires_at: Time
    notify: bool
    requests: list[PastRequest]


class StandingGrant(RecordResponse):
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
    created_at: Time
    expires_at: Time
    ended_at: Time | None
    ended_because: str | None


class StandingGrants(BaseModel):
    """The standing grants of a person."""

    items: list[StandingGrant]


class StandingGrantUse(RecordResponse):
    """A use of a standing grant, and the request that used it."""

    number: int
    approval: str
    minor: int
    state: Literal["reserved", "spent", "released"]
    at: Time


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
    example, bounds = proposal.example, proposal.bounds
    return GrantPreview.of(
        proposal,
        agent=example.agent,
        resource=example.target.resource.uri,
        scopes=example.target.scope,
        type=None if example.action is None else example.action.type,
        pattern=_pattern(example.action, proposal.pattern),
        risk=example.risk,
        uses=bounds.uses,
        sum=_money(bounds.sum),
        expires_at=bounds.until,
        requests=[_past(request) for request in past],
    )


def grant(standing_grant: NamedStandingGrant, now: int) -> StandingGrant:
    """A standing grant as JSON."""
    record = standing_grant.grant
    total = record.bounds.sum
    spent = None if total is None else replace(total, minor=record.spent_minor)
    return StandingGrant.of(
        record,
        state=record.state(now),
        agent=Reference(id=record.agent_id, name=standing_grant.agent_name),
        pattern=_pattern(standing_grant.action, record.pattern),
        sum=_money(total),
        spent=_money(spent),
        approval=record.approval_id,
    )


def details(standing_grant: NamedStandingGrant, now: int) -> StandingGrantDetails:
    """A standing grant with its uses, as JSON."""
    grant_uses = [StandingGrantUse.of(use, approval=use.approval_id) for use in standing_grant.uses]
    return StandingGrantDetails.of(grant(standing_grant, now), taken=grant_uses)


def managed(standing_grant: NamedStandingGrant, now: int) -> ManagedGrant:
    """A standing grant for administrators, as JSON."""
    user = Reference(id=standing_grant.grant.user_id, name=standing_grant.user_name)
    return ManagedGrant.of(grant(standing_grant, now), user=user)


def _money(value: Sum | None) -> Money | None:
    if value is None:
        return None
    return Money.of(value, text=money_text(value))


def _pattern(action: ActionType | None, pattern: Pattern) -> list[PatternFact]:
    return [
        PatternFact(label=label, value=value) for label, value in pattern_facts(action, pattern)
    ]


def _past(tried_request: TriedRequest) -> PastRequest:
    approval = tried_request.approval
    return PastRequest.of(
        approval,
        fingerprint=decisions.fingerprint(approval.action_digest),
        covered=tried_request.mismatch is None,
        mismatch=tried_request.mismatch,
    )
