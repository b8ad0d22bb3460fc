"""A server that only tests and pictures use: what the screens of the terminal app ask.

Owns: scripted answers. Never: the network.
"""

from dataclasses import dataclass, field, replace

from approver_tui.client import errors
from approver_tui.client.wire import Page
from approver_tui.state.approvals.approvals import Approval, ApprovalState, Retry
from approver_tui.state.approvals.narrowable import Narrowable, NarrowableFact, NarrowingRule
from approver_tui.state.clients.access import RevokedAccess
from approver_tui.state.clients.agents import OwnedAgent, SuspendedAgent
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
    """What the screens ask."""

    clock: FakeClock
    approvals: dict[str, Approval] = field(default_factory=dict)
    device: Device = field(default_factory=a_device)
    is_down: bool = False
    failure: errors.ClientError | None = None
    """What every answer raises, if anything."""
    fetched: list[str] = field(default_factory=list)
    given: list[Consent] = field(default_factory=list)
    tokens: list[Delegation] = field(default_factory=list)
    others: list[Device] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    """Ids of whatever was ended."""
    skew: int = 0
    """How far it is ahead of this machine, in milliseconds."""
    last: Page | None = None
    """What waited when the server last said so, as this machine kept it."""
    owned: tuple[OwnedAgent, ...] = ()
    """The agents of the person who looks."""
    called: tuple[Browser, ...] = ()
    """Where she is called by push."""
    narrowable_facts: Narrowable = NARROWABLE
    """What may be less of any request."""

    def now(self) -> int:
        """Return the server's time."""
        return self.clock.now()

    def me(self) -> Me:
        """Return alice."""
        self._answer()
        user = User(id=ME, name=SafeText("alice"), email=None, roles=())
        return Me(user=user, device=self.device, server_time=self.clock.now())

    def waiting(self) -> Page:
        """Return what waits, soonest first."""
        self._answer()
        waits = [value for value in self.approvals.values() if value.is_waiting(self.clock.now())]
        waits.sort(key=lambda one: one.expires_at)
        return Page(tuple(waits), None, 7, self.clock.now())

    def last_waiting(self) -> Page | None:
        """Return what the test says was kept."""
        return self.last

    def approval(self, approval_id: str) -> Approval:
        """Return one approval with a nonce."""
        self._answer()
        self.fetched.append(approval_id)
        if approval_id not in self.approvals:
            raise errors.ApiError("not_found", 404, "There is no such request.")
        return replace(self.approvals[approval_id], nonce="nonce")

    def decided(self, cursor: str | None = None) -> Page:
        """Return what is over in parts of five."""
        self._answer()
        start = int(cursor or 0)
        over = [
            value for value in self.approvals.values() if not value.is_waiting(self.clock.now())
        ]
        following = str(start + 5) if start + 5 < len(over) else None
        return Page(tuple(over[start : start + 5]), following, 7, self.clock.now())

    def ended_since(self, since: int) -> tuple[Approval, ...]:
        """Return what is over."""
        self._answer()
        every = self.approvals.values()
        over = [each for each in every if not each.is_waiting(self.clock.now())]
        return tuple(each for each in over if each.ended_at >= since)

    def owned_agents(self) -> tuple[OwnedAgent, ...]:
        """Return alice's own."""
        self._answer()
        return self.owned

    def suspend_agent(self, agent_id: str) -> SuspendedAgent:
        """Stop one of alice's own."""
        self._answer()
        self.ended.append(agent_id)
        disabled = SafeText("disabled")
        self.owned = tuple(
            replace(each, state=disabled) if each.id == agent_id else each for each in self.owned
        )
        return SuspendedAgent(2, 1)

    def consents(self) -> tuple[Consent, ...]:
        """Return those in force."""
        self._answer()
        return tuple(each for each in self.given if each.id not in self.ended)

    def revoke_consent(self, consent_id: str) -> tuple[Consent, int]:
        """End one, and two tokens."""
        self._answer()
        self.ended.append(consent_id)
        return next(each for each in self.given if each.id == consent_id), 2

    def revoke_access(self, client_id: str) -> RevokedAccess:
        """End what this client has; grants are remembered by its id."""
        self._answer()
        consents = [each.id for each in self.given if each.client_id == client_id]
        tokens = [token.id for token in self.tokens if token.client.id == client_id]
        self.ended += [*consents, *tokens, client_id]
        return RevokedAccess(0, len(consents), len(tokens))

    def delegations(self) -> tuple[Delegation, ...]:
        """Return those in force."""
        self._answer()
        return tuple(token for token in self.tokens if token.id not in self.ended)

    def revoke_delegation(self, delegation_id: str) -> int:
        """End one."""
        self._answer()
        self.ended.append(delegation_id)
        return 1

    def devices(self) -> tuple[Device, ...]:
        """Return this one and the others."""
        self._answer()
        return tuple(
            replace(each, is_active=each.is_active and each.id not in self.ended)
            for each in (self.device, *self.others)
        )

    def browsers(self) -> tuple[Browser, ...]:
        """Return what the test says."""
        self._answer()
        return self.called

    def rename_device(self, device_id: str, name: str) -> Device:
        """Call it so."""
        self._answer()
        every = {each.id: each for each in (self.device, *self.others)}
        named = replace(every[device_id], name=SafeText(name))
        self.device = named if named.is_this else self.device
        self.others = [named if other.id == device_id else other for other in self.others]
        return named

    def test_browser(self, device_id: str) -> int:
        """One for each browser."""
        self._answer()
        return sum(other.id == device_id and other.kind == "browser" for other in self.others)

    def revoke_device(self, device_id: str) -> None:
        """End one."""
        self._answer()
        self.ended.append(device_id)

    def narrowable(self, approval_id: str) -> Narrowable:
        """Return the same for every request."""
        self._answer()
        if approval_id not in self.approvals:
            raise errors.ApiError("not_found", 404, "There is no such request.")
        return self.narrowable_facts

    def extend(self, approval_id: str) -> Approval:
        """Let it wait ten minutes from now."""
        self._answer()
        until = self.clock.now() + 10 * MINUTE
        longer = replace(self.approvals[approval_id], extended_to=until)
        self.put(longer)
        return longer

    def request_retry(self, approval_id: str) -> Approval:
        """Remember it; the request has expired by now."""
        self._answer()
        lapsed = replace(self.approvals[approval_id], state=ApprovalState.EXPIRED)
        self.put(replace(lapsed, retry=Retry.ASKED))
        return self.approvals[approval_id]

    def put(self, *approvals: Approval) -> None:
        """Add approvals or change them."""
        for approval in approvals:
            self.approvals[approval.id] = approval

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure
        if self.is_down:
            raise errors.Unreachable("The server does not answer.")
