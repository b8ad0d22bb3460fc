"""Invented standing grants for screens.

Owns: grants, a preview, the request that creates a grant. Never: the network.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from approver_tui.client import errors
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.standing_grants.standing_grants import (
    GrantFact,
    GrantPreview,
    GrantState,
    Money,
    PastRequest,
    StandingGrant,
    StandingGrantProposal,
)
from approver_tui.state.text import SafeText

HOUR = 3_600_000
_PATTERN = (
    GrantFact(SafeText("Amount"), SafeText("up to EUR 20.00")),
    GrantFact(SafeText("To"), SafeText("Nordwind Logistik GmbH")),
)


def euros(whole: int) -> Money:
    """Return an amount without cents."""
    return Money(whole * 100, SafeText("EUR"), SafeText(f"EUR {whole:,}.00"))


class Ground(Protocol):
    """The fake server that the client belongs to."""

    is_down: bool
    ended: list[str]

    def now(self) -> int:
        """Return the server's time."""

    def put(self, *approvals: Approval) -> None:
        """Add approvals."""


def a_grant(now: int, name: str = "invoice-bot", **changes: Any) -> StandingGrant:
    """Return a grant of which one of three uses is consumed."""
    grant = StandingGrant(
        id=SafeText(f"sayso_sg_{name}"),
        state=GrantState.LIVE,
        agent_id=SafeText("sayso_ag_1"),
        agent_name=SafeText(name),
        resource=SafeText("https://pay.example"),
        scopes=(SafeText("payments:transfer"),),
        type=SafeText("payment.transfer"),
        pattern=_PATTERN,
        risk=SafeText("low"),
        uses=3,
        used=1,
        sum=euros(30),
        spent=euros(10),
        notify=True,
        approval=SafeText("sayso_ap_gggggggggggggggg"),
        created_at=now - HOUR,
        expires_at=now + HOUR,
        ended_at=None,
        ended_because=None,
    )
    return replace(grant, **changes)


@dataclass
class FakeGrantsClient:
    """Records proposals, and returns the grants and the request that a test sets."""

    server: Ground
    given: list[StandingGrant] = field(default_factory=list)
    proposals: list[StandingGrantProposal] = field(default_factory=list)
    offers: Approval | None = None
    """The request that creates the proposed grant."""
    failures: list[errors.ClientError] = field(default_factory=list)
    """Errors that the next calls raise, in this order."""

    def grants(self) -> tuple[StandingGrant, ...]:
        """Return the active grants."""
        self._answer()
        over = self.server.ended
        left = [grant for grant in self.given if grant.id not in over]
        return tuple(grant for grant in left if grant.agent_id not in over)

    def revoke(self, grant_id: str) -> StandingGrant:
        """Revoke a grant."""
        self._answer()
        self.server.ended.append(grant_id)
        return next(grant for grant in self.given if grant.id == grant_id)

    def preview(self, proposal: StandingGrantProposal) -> GrantPreview:
        """Return the preview of this proposal, compared with two recent requests."""
        self._answer()
        self.proposals.append(proposal)
        requested_at = self.server.now() - HOUR
        approved = SafeText("approved")
        past = PastRequest(
            SafeText("sayso_ap_1"), SafeText("9f3a-71c0"), approved, requested_at, None
        )
        return GrantPreview(
            agent_name=SafeText("invoice-bot"),
            resource=SafeText("https://pay.example"),
            scopes=(SafeText("payments:transfer"),),
            pattern=_PATTERN,
            risk=SafeText("high"),
            given_at=SafeText("critical"),
            uses=proposal.uses,
            sum=None if proposal.sum is None else euros(int(proposal.sum)),
            expires_at=self.server.now() + proposal.seconds * 1000,
            requests=(past, replace(past, mismatch=SafeText("Amount is over the limit"))),
        )

    def request(self, proposal: StandingGrantProposal, example: Approval) -> Approval:
        """Return the request that creates the grant."""
        del proposal, example
        self._answer()
        assert self.offers is not None
        self.server.put(self.offers)
        return self.offers

    def _answer(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if self.server.is_down:
            raise errors.Unreachable("The server does not respond.")
