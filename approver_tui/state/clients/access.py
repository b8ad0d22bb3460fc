"""Who can act for the user, and through which consents, tokens and standing grants.

Owns: grouping these by agent or app. Never: ending any of them.

Times are integers, milliseconds since the epoch.
"""

from collections.abc import Iterable
from dataclasses import dataclass

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


def acting_agents(
    consents: Iterable[Consent],
    delegations: Iterable[Delegation],
    grants: Iterable[StandingGrant] = (),
) -> tuple[ActingAgent, ...]:
    """Return the agents and apps that can act now, sorted by name."""
    consents = [consent for consent in consents if consent.state is ConsentState.LIVE]
    delegations = [token for token in delegations if token.state is DelegationState.LIVE]
    grants = [grant for grant in grants if grant.state in {GrantState.LIVE, GrantState.FULL}]
    names: dict[str, SafeText] = {grant.agent_id: grant.agent_name for grant in grants}
    names |= {token.client.id: token.client.name for token in delegations}
    names |= {consent.client_id: consent.client_name for consent in consents}
    agents = (
        ActingAgent(
            agent_id,
            name,
            tuple(consent for consent in consents if consent.client_id == agent_id),
            tuple(token for token in delegations if token.client.id == agent_id),
            tuple(grant for grant in grants if grant.agent_id == agent_id),
        )
        for agent_id, name in names.items()
    )
    return tuple(sorted(agents, key=lambda agent: (agent.name.casefold(), agent.id)))
