"""Who acts for a person, each with what it stands on.

Owns: putting consents, tokens and standing grants of one agent or app together.
Never: ends any of them.
Times are integers, milliseconds since the epoch.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from approver_tui.state.consents import Consent, ConsentState
from approver_tui.state.delegations import Delegation, DelegationState
from approver_tui.state.standing_grants import Standing, StandingGrant
from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class Acting:
    """One agent or app that can act for the person now."""

    id: str
    name: SafeText
    consents: tuple[Consent, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    grants: tuple[StandingGrant, ...] = ()

    @property
    def last_used_at(self) -> int | None:
        """When one of its tokens was last used; None when that is not known of any."""
        known = (each.last_used_at for each in self.delegations)
        return max((at for at in known if at is not None), default=None)

    @property
    def until(self) -> int:
        """When the last of it ends by itself."""
        ends = [each.expires_at for each in self.consents]
        ends += [each.expires_at for each in self.delegations]
        return max(ends + [each.expires_at for each in self.grants])


@dataclass(frozen=True, slots=True)
class Stopped:
    """How many grants, consents and tokens ended with it."""

    grants: int
    consents: int
    tokens: int


def acting(
    consents: Iterable[Consent],
    delegations: Iterable[Delegation],
    grants: Iterable[StandingGrant] = (),
) -> tuple[Acting, ...]:
    """Return everybody who can act now, by name; what is over is left out."""
    found: dict[str, Acting] = {}
    for consent in consents:
        if consent.state is ConsentState.LIVE:
            one = found.get(consent.client_id) or Acting(consent.client_id, consent.client_name)
            found[one.id] = replace(one, consents=(*one.consents, consent))
    for each in delegations:
        if each.state is DelegationState.LIVE:
            one = found.get(each.client.id) or Acting(each.client.id, each.client.name)
            found[one.id] = replace(one, delegations=(*one.delegations, each))
    for grant in grants:
        if grant.state in {Standing.LIVE, Standing.FULL}:
            one = found.get(grant.agent_id) or Acting(grant.agent_id, grant.agent_name)
            found[one.id] = replace(one, grants=(*one.grants, grant))
    return tuple(sorted(found.values(), key=lambda one: (one.name.casefold(), one.id)))
