"""Consents that pages and devices request, checked before a user signs them.

Owns: which scopes a consent can have, and until when, and the outcome that a waiting page shows.
Never: storing a consent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.model import display_names
from server.model.approvals import Approval
from server.model.consents import Consent, PageOutcome
from server.model.display_names import Party
from server.model.store import Unit
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk, highest
from server.protocol.resources import scopes

_DAY_MS: Final = 24 * 60 * 60 * 1000
DEFAULT_MS: Final = 30 * _DAY_MS
MAX_MS: Final = 180 * _DAY_MS


@dataclass(frozen=True, slots=True)
class RequestedConsent:
    """A consent that a page requests. `until` is in milliseconds; None means 30 days."""

    user: User
    client_id: str
    """The agent or the app itself."""
    app_id: str | None
    resource: str
    scopes: tuple[str, ...]
    until: int | None
    peer: str


@dataclass(frozen=True, slots=True)
class ConsentOffer:
    """A checked consent to request; it includes the scopes of the consent in force."""

    party: Party
    risks: Mapping[str, Risk]
    """The risk of each scope."""
    current: tuple[str, ...]
    """The scopes that the client can already use."""
    until: int

    @property
    def risk(self) -> Risk:
        """The highest risk."""
        return highest([Risk.LOW, *self.risks.values()])


def check_offer(  # the members of one consent
    tx: Unit,
    user_id: str,
    client_id: str,
    resource: str,
    requested_scopes: tuple[str, ...],
    until: int | None = None,
) -> ConsentOffer:
    """Check a consent for these scopes; without a resource, it only covers the user's identity.

    Raises errors.ProtocolError: 1. the client is disabled;  2. the client may not have the scopes,
    or one is critical;  3. the expiry is invalid.
    """
    party = _party(tx, client_id)
    if not resource:
        return ConsentOffer(party, {}, (), _expiry(tx, until))
    before = tx.consents.live(user_id, party.id, resource, tx.now)
    granted = () if before is None else _still_allowed(tx, party, before)
    risks = _risks(tx, party, resource, tuple(sorted({*requested_scopes, *granted})))
    expires_at = max(_expiry(tx, until), before.expires_at if before and granted else 0)
    return ConsentOffer(party, risks, granted, expires_at)


def lock_consents(tx: Unit, user_id: str) -> None:
    """Serialize the checking and storing of this user's consents, so that none is lost."""
    tx.lock(f"consents {user_id}")


def is_outdated(tx: Unit, approval: Approval) -> bool:
    """Return whether a consent signed in the meantime has scopes that this one would remove."""
    user_id = approval.user_id or ""
    lock_consents(tx, user_id)
    party = _party(tx, approval.agent_id)
    current = tx.consents.live(user_id, party.id, approval.resource, tx.now)
    granted = () if current is None else _still_allowed(tx, party, current)
    return not set(granted) <= set(approval.scope.split())


def page_outcome(approval: Approval, now: int, *, approved_state: State) -> PageOutcome:
    """Return the outcome of a page's approval; `approved_state` is its state once approved."""
    if approval.is_overdue(now):
        return "over"
    outcomes: dict[State, PageOutcome] = {
        State.PENDING: "waiting",
        State.DENIED: "denied",
        approved_state: "given",
    }
    return outcomes.get(approval.state, "over")


def _party(tx: Unit, client_id: str) -> Party:
    party = display_names.find(tx.directory, client_id, tx.now)
    if party is None:
        raise errors.UnauthorizedClient("There is no such client, or it is disabled.")
    return party


def _still_allowed(tx: Unit, party: Party, before: Consent) -> tuple[str, ...]:
    """Return a consent's scopes that the client's permissions and the risks still allow."""
    resource = tx.directory.resource(before.resource)
    current_risks = {} if resource is None else resource.scopes
    openid, rest = scopes.split(before.scopes)
    allowed = [
        name
        for name in rest
        if party.allows(before.resource, name)
        and current_risks.get(name, Risk.CRITICAL) is not Risk.CRITICAL
    ]
    return (*openid, *allowed)


def _risks(tx: Unit, party: Party, uri: str, scope: tuple[str, ...]) -> dict[str, Risk]:
    """Return the risk of each scope. Raises errors.InvalidTarget or errors.InvalidScope."""
    openid, rest = scopes.split(scope)
    resource = tx.directory.resource(uri) if uri in party.resources else None
    if resource is None:
        raise errors.InvalidTarget(f"{party.name} cannot use this resource.")
    if not scope or any(n not in resource.scopes or not party.allows(uri, n) for n in rest):
        raise errors.InvalidScope(f"{party.name} cannot use all of these scopes at this resource.")
    risks = {name: resource.scopes[name] for name in rest} | dict.fromkeys(openid, Risk.LOW)
    if Risk.CRITICAL in risks.values():
        raise errors.InvalidScope("A critical scope cannot be part of a consent.")
    return risks


def _expiry(tx: Unit, until: int | None) -> int:
    expires_at = tx.now + DEFAULT_MS if until is None else until
    if not tx.now < expires_at <= tx.now + MAX_MS:
        raise errors.InvalidRequest("A consent must end within 180 days.")
    return expires_at
