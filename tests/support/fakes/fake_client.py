"""A fake server for tests and pictures: it answers the calls of the terminal app's screens.

Owns: scripted answers. Never: the network.
"""

from dataclasses import dataclass, field, replace

from approver_tui.client import errors
from approver_tui.client.wire import Page
from approver_tui.state.approvals.approvals import Approval, ApprovalState, Retry
from approver_tui.state.approvals.narrowing import Narrowable, NarrowableFact, NarrowingRule
from approver_tui.state.clients.agents import OwnedAgent, SuspensionResult
from approver_tui.state.consents.consents import Consent
from approver_tui.state.devices.devices import Browser, Device, Me, User
from approver_tui.state.text import SafeText
from approver_tui.state.tokens.delegations import Delegation
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_clock import FakeClock
from tests.support.fakes.fake_requests import MINUTE

ME = "sayso_us_aaaaaaaaaaaaaaaa"
NARROWABLE = Narrowable(
    scopes=("payments:read", "payments:transfer"),
    facts=(
        NarrowableFact(
            0, "/amount", SafeText("Amount"), SafeText("EUR 4,820.00"), NarrowingRule.LOWER
        ),
        NarrowableFact(
            0,
            "/invoices",
            SafeText("Invoices"),
            SafeText("INV-2291, INV-2292"),
            NarrowingRule.DROP,
            (SafeText("INV-2291"), SafeText("INV-2292")),
        ),
        NarrowableFact(0, "/dry_run", SafeText("Dry run"), SafeText("no"), NarrowingRule.TURN_ON),
        NarrowableFact(
            0, "/by", SafeText("Due"), SafeText("2026-11-25 14:30 UTC"), NarrowingRule.EARLIER
        ),
    ),
    token_seconds=300,
)


@dataclass
class FakeServer:
    """Answers the calls of the screens."""

    clock: FakeClock
    approvals: dict[str, Approval] = field(default_factory=dict)
    device: Device = field(default_factory=a_device)
    is_down: bool = False
    failure: errors.ClientError | None = None
    """The error that every call raises, if any."""
    fetched: list[str] = field(default_factory=list)
    given: list[Consent] = field(default_factory=list)
    tokens: list[Delegation] = field(default_factory=list)
    others: list[Device] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    """IDs of everything that was revoked or suspended."""
    skew: int = 0
    """How far the server's clock is ahead of this machine, in milliseconds."""
    last: Page | None = None
    """The last page of pending requests, as this machine cached it."""
    owned: tuple[OwnedAgent, ...] = ()
    """The agents that the signed-in user owns."""
    called: tuple[Browser, ...] = ()
    """The browsers that notify her by push."""
    narrowable_facts: Narrowable = NARROWABLE
    """The members that can be narrowed in every request."""

    def now(self) -> int:
        """Return the server's time."""
        return self.clock.now()

    def me(self) -> Me:
        """Return alice."""
        self._answer()
        user = User(id=ME, name=SafeText("alice"), email=None, roles=())
        return Me(user=user, device=self.device, server_time=self.clock.now())

    def waiting(self) -> Page:
        """Return the pending requests, soonest expiry first."""
        self._answer()
        waiting = [value for value in self.approvals.values() if value.is_waiting(self.clock.now())]
        waiting.sort(key=lambda approval: approval.expires_at)
        return Page(tuple(waiting), None, 7, self.clock.now())

    def last_waiting(self) -> Page | None:
        """Return the cached page that the test set."""
        return self.last

    def approval(self, approval_id: str) -> Approval:
        """Return an approval with a nonce."""
        self._answer()
        self.fetched.append(approval_id)
        if approval_id not in self.approvals:
            raise errors.ApiError("not_found", 404, "There is no such request.")
        return replace(self.approvals[approval_id], nonce="nonce")

    def list_decided(self, cursor: str | None = None) -> Page:
        """Return the requests that are no longer pending, in pages of five."""
        self._answer()
        start = int(cursor or 0)
        over = [
            value for value in self.approvals.values() if not value.is_waiting(self.clock.now())
        ]
        following = str(start + 5) if start + 5 < len(over) else None
        return Page(tuple(over[start : start + 5]), following, 7, self.clock.now())

    def ended_since(self, since: int) -> tuple[Approval, ...]:
        """Return the requests that were closed at this time or later."""
        self._answer()
        approvals = self.approvals.values()
        over = [value for value in approvals if not value.is_waiting(self.clock.now())]
        return tuple(value for value in over if value.ended_at >= since)

    def owned_agents(self) -> tuple[OwnedAgent, ...]:
        """Return the agents that alice owns."""
        self._answer()
        return self.owned

    def suspend_agent(self, agent_id: str) -> SuspensionResult:
        """Suspend an agent that alice owns."""
        self._answer()
        self.ended.append(agent_id)
        disabled = SafeText("disabled")
        self.owned = tuple(
            replace(agent, state=disabled) if agent.id == agent_id else agent
            for agent in self.owned
        )
        return SuspensionResult(2, 1)

    def consents(self) -> tuple[Consent, ...]:
        """Return the active consents."""
        self._answer()
        return tuple(consent for consent in self.given if consent.id not in self.ended)

    def revoke_consent(self, consent_id: str) -> tuple[Consent, int]:
        """Revoke a consent, and two tokens with it."""
        self._answer()
        self.ended.append(consent_id)
        return next(consent for consent in self.given if consent.id == consent_id), 2

    def revoke_access(self, client_id: str) -> None:
        """Revoke this client's access; its grants are recorded as revoked under the client's ID."""
        self._answer()
        consents = [consent.id for consent in self.given if consent.client_id == client_id]
        tokens = [token.id for token in self.tokens if token.client.id == client_id]
        self.ended += [*consents, *tokens, client_id]

    def delegations(self) -> tuple[Delegation, ...]:
        """Return the valid tokens."""
        self._answer()
        return tuple(token for token in self.tokens if token.id not in self.ended)

    def revoke_delegation(self, delegation_id: str) -> int:
        """Revoke a token."""
        self._answer()
        self.ended.append(delegation_id)
        return 1

    def devices(self) -> tuple[Device, ...]:
        """Return this device and the others."""
        self._answer()
        return tuple(
            replace(device, is_active=device.is_active and device.id not in self.ended)
            for device in (self.device, *self.others)
        )

    def browsers(self) -> tuple[Browser, ...]:
        """Return the browsers that the test set."""
        self._answer()
        return self.called

    def rename_device(self, device_id: str, name: str) -> Device:
        """Give the device this name."""
        self._answer()
        devices = {device.id: device for device in (self.device, *self.others)}
        renamed = replace(devices[device_id], name=SafeText(name))
        self.device = renamed if renamed.is_this else self.device
        self.others = [renamed if other.id == device_id else other for other in self.others]
        return renamed

    def test_browser(self, device_id: str) -> int:
        """Return how many other browsers have this ID."""
        self._answer()
        return sum(other.id == device_id and other.kind == "browser" for other in self.others)

    def revoke_device(self, device_id: str) -> None:
        """Revoke a device."""
        self._answer()
        self.ended.append(device_id)

    def narrowable(self, approval_id: str) -> Narrowable:
        """Return the members that can be narrowed; they are the same for every request."""
        self._answer()
        if approval_id not in self.approvals:
            raise errors.ApiError("not_found", 404, "There is no such request.")
        return self.narrowable_facts

    def extend(self, approval_id: str) -> Approval:
        """Extend the request to ten minutes from now."""
        self._answer()
        until = self.clock.now() + 10 * MINUTE
        extended = replace(self.approvals[approval_id], extended_to=until)
        self.put(extended)
        return extended

    def request_retry(self, approval_id: str) -> Approval:
        """Mark the request as expired and its retry as requested."""
        self._answer()
        expired = replace(self.approvals[approval_id], state=ApprovalState.EXPIRED)
        self.put(replace(expired, retry=Retry.ASKED))
        return self.approvals[approval_id]

    def put(self, *approvals: Approval) -> None:
        """Add or replace these approvals."""
        for approval in approvals:
            self.approvals[approval.id] = approval

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure
        if self.is_down:
            raise errors.Unreachable("The server does not respond.")
