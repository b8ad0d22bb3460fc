"""Who can act for the user, and through which consents, tokens and standing grants.

Owns: grouping these by agent or app. Never: ending any of them.

Times are integers, milliseconds since the epoch.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from approver_tui.state.consents.consents import Consent, ConsentState
from approver_tui.state.standing_grants.standing_grants import GrantState, StandingGrant
from approver_tui.state.text import SafeText
from approver_tui.state.tokens.delegations import Delegation, DelegationState


@dataclass(frozen=True, slots=True)
class ActingAgent:
    """One agent or app that can act for the user now."""

    id: str
    name: SafeText
    consents: tuple[Consent, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    grants: tuple[StandingGrant, ...] = ()

    @property
    def last_used_at(self) -> int | None:
        """When one of its tokens was last used; None if unknown."""
        times = (delegation.last_used_at for delegation in self.delegations)
        return max((time for time in times if time is not None), default=None)

    @property
    def until(self) -> int:
        """When the last of its consents, tokens and grants expires."""
        ends = [consent.expires_at for consent in self.consents]
        ends += [delegation.expires_at for delegation in self.delegations]
        return max(ends + [grant.expires_at for grant in self.grants])


@dataclass(frozen=True, slots=True)
class RevokedAccess:
    """How many grants, consents and tokens were ended."""

    grants: int
    consents: int
    tokens: int


def acting_agents(
    consents: Iterable[Consent],
    delegations: Iterable[Delegation],
    grants: Iterable[StandingGrant] = (),
) -> tuple[ActingAgent, ...]:
    """Return everyone who can act now, by name; what has ended is left out."""
    agents: dict[str, ActingAgent] = {}
    for consent in consents:
        if consent.state is ConsentState.LIVE:
            agent = agents.get(consent.client_id) or ActingAgent(
                consent.client_id, consent.client_name
            )
            agents[agent.id] = replace(agent, consents=(*agent.consents, consent))
    for delegation in delegations:
        if delegation.state is DelegationState.LIVE:
            agent = agents.get(delegation.client.id) or ActingAgent(
                delegation.client.id, delegation.client.name
            )
            agents[agent.id] = replace(agent, delegations=(*agent.delegations, delegation))
    for grant in grants:
        if grant.state in {GrantState.LIVE, GrantState.FULL}:
            agent = agents.get(grant.agent_id) or ActingAgent(grant.agent_id, grant.agent_name)
            agents[agent.id] = replace(agent, grants=(*agent.grants, grant))
    return tuple(sorted(agents.values(), key=lambda agent: (agent.name.casefold(), agent.id)))
