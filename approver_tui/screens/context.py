"""What every screen is given: the server, the answers, the clocks, the guard.

Owns: the ports of the screens, as narrow as they need them. Never: how they are built; `app.py`.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from approver_tui.attention.notifier import Notifier
from approver_tui.attention.preferences import DEFAULTS, AlertPreferences
from approver_tui.attention.terminal_environment import NOWHERE, TerminalEnvironment
from approver_tui.client.notifications.feed import FeedListeners
from approver_tui.client.wire import Page
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.operations.settings_store import NoSettingsStore, SettingsStore
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import NOTHING, Entries
from approver_tui.state.approvals.decision import NOTHING_MORE, DenialExtras, DenyCode
from approver_tui.state.approvals.narrowable import Narrowable
from approver_tui.state.approvals.narrowing import Granted, Narrowing
from approver_tui.state.approvals.unsent_denials import UnsentDenial
from approver_tui.state.clients.access import RevokedAccess
from approver_tui.state.clients.agents import OwnedAgent, SuspendedAgent
from approver_tui.state.consents.consents import Consent
from approver_tui.state.devices.devices import Browser, Device, Me
from approver_tui.state.incidents.reports import Reported, ReportScope
from approver_tui.state.keymap import AS_THEY_ARE, Keymap
from approver_tui.state.notifications.preferences import NotificationPrefs
from approver_tui.state.standing_grants.standing_grants import (
    GrantPreview,
    StandingGrant,
    StandingGrantProposal,
)
from approver_tui.state.text import SafeText
from approver_tui.state.tokens.delegations import Delegation
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import say


class ServerPort(Protocol):
    """What the screens ask the server; every call may block and raise a ClientError."""

    def now(self) -> int:
        """Return the server's time in milliseconds since the epoch. MUST NOT block."""

    @property
    def skew(self) -> int:
        """How far the server's clock is ahead of this machine's, in milliseconds.

        It is 0 where that does not matter.
        """

    def me(self) -> Me:
        """Return who is logged in, on which device."""

    def waiting(self) -> Page:
        """Return everything that waits for this person."""

    def last_waiting(self) -> Page | None:
        """Return what waited when the server last said so, from this machine. MUST NOT raise."""

    def approval(self, approval_id: str) -> Approval:
        """Return one approval; the server notes that it was seen."""

    def decided(self, cursor: str | None = None) -> Page:
        """Return a part of what is over, newest first."""

    def decided_since(self, since: int) -> tuple[Approval, ...]:
        """Return what was over at a moment or later, newest first; of very much, the newest."""

    def owned_agents(self) -> tuple[OwnedAgent, ...]:
        """Return the agents that this person owns."""

    def suspend_agent(self, agent_id: str) -> SuspendedAgent:
        """Stop an agent of this person's own for everybody; return what ended."""

    def consents(self) -> tuple[Consent, ...]:
        """Return the consents in force, newest first."""

    def revoke_consent(self, consent_id: str) -> tuple[Consent, int]:
        """Take one back; return it with how many tokens ended."""

    def stop_acting(self, client_id: str) -> RevokedAccess:
        """End all that an agent or app has of this person; return what ended."""

    def delegations(self) -> tuple[Delegation, ...]:
        """Return the tokens in force by which somebody acts for this person, newest first."""

    def revoke_delegation(self, delegation_id: str) -> int:
        """End one and all that came from it; return how many ended."""

    def devices(self) -> tuple[Device, ...]:
        """Return this person's devices, revoked ones too."""

    def browsers(self) -> tuple[Browser, ...]:
        """Return where this person is called by push, and where no more."""

    def rename_device(self, device_id: str, name: str) -> Device:
        """Call one otherwise."""

    def test_browser(self, device_id: str) -> int:
        """Call each browser of a device with a message that says nothing; return how many."""

    def revoke_device(self, device_id: str) -> None:
        """Sign one out for good."""

    def leeway(self, approval_id: str) -> Narrowable:
        """Return what of a request may be less."""

    def extend(self, approval_id: str) -> Approval:
        """Let a request wait longer; return it with its new end."""

    def ask_again(self, approval_id: str) -> Approval:
        """Ask the agent of a request that expired to ask again; return the request."""


class DecisionPort(Protocol):
    """How an answer is signed and sent. `is_unlocked`, `touch` and `lock` MUST NOT block."""

    @property
    def is_unlocked(self) -> bool:
        """Whether low and medium risk take no PIN at the moment."""

    def unlock(self, pin: str) -> None:
        """Open the key for low and medium risk for a while."""

    def touch(self) -> None:
        """Note that the person is there."""

    def lock(self) -> None:
        """Forget the opened key."""

    def narrow(self, approval: Approval, wish: Narrowing) -> Granted:
        """Return what would be granted. MUST raise Changed when that is not exactly the wish."""

    def approve(
        self,
        approval: Approval,
        *,
        fingerprint: str,
        pin: str | None = None,
        entries: Entries = NOTHING,
    ) -> Approval:
        """Say yes; return the server's copy. MUST raise Changed if it is another request now.

        With `granted` on the approval it is a yes to that part alone.
        """

    def deny(
        self, approval: Approval, code: DenyCode, note: str = "", aside: DenialExtras = NOTHING_MORE
    ) -> Approval:
        """Say no; return the server's copy."""

    def settle(self, approval_id: str) -> Approval:
        """Return what became of an answer in doubt. MUST raise UnknownOutcome until it is known."""

    def unlock_device(self, device: Device, pin: str) -> Device:
        """Give another, locked device its PIN tries back."""

    def vouch_device(self, device: Device, pin: str) -> Device:
        """Let another, new device approve high risk at once."""

    def report(self, approval: Approval, scope: ReportScope, note: str = "") -> Reported:
        """Say that the person did not ask for this; stops whom `scope` says."""


class StandingGrantsPort(Protocol):
    """What the person approves ahead; every call may block and raise a ClientError."""

    def grants(self) -> tuple[StandingGrant, ...]:
        """Return the standing grants that are not over, newest first."""

    def revoke(self, grant_id: str) -> StandingGrant:
        """Take one back."""

    def preview(self, wish: StandingGrantProposal) -> GrantPreview:
        """Return what one would be; nothing is given."""

    def open(self, wish: StandingGrantProposal, example: Approval) -> Approval:
        """Return the request that gives it once it is approved.

        MUST raise Changed when that is not exactly the wish.
        """


class FeedPort(Protocol):
    """The live feed."""

    cursor: int | None
    """After which event to go on."""

    @property
    def heard_at(self) -> int | None:
        """Return when the server last gave a sign of life, on its clock in milliseconds."""

    def run(self, listeners: FeedListeners, stop: threading.Event) -> None:
        """Report until `stop` is set; raises LoginFirst when the session has ended."""


class OtherLoginsPort(Protocol):
    """The other servers that this machine is logged in to."""

    def counts(self) -> Mapping[str, int | None]:
        """Return how many requests wait by login; None where the server did not say.

        It blocks, and MUST NOT raise.
        """


class NoOtherLogins:
    """There is no other login."""

    def counts(self) -> Mapping[str, int | None]:
        """Return none."""
        return {}


class UnsentDenialsPort(Protocol):
    """What is about to be denied, where a crash does not lose it. `keep` MAY raise OSError."""

    def unsent(self) -> tuple[UnsentDenial, ...]:
        """Return what a program was about to deny that runs no more."""

    def keep(self, approvals: Iterable[Approval]) -> None:
        """Note that these are about to be denied."""

    def drop(self, ids: Collection[str]) -> None:
        """Note that these are known to be sent, or are not to be sent."""


class NoUnsentDenials:
    """There is nowhere to note any."""

    def unsent(self) -> tuple[UnsentDenial, ...]:
        """Return none."""
        return ()

    def keep(self, approvals: Iterable[Approval]) -> None:
        """Note nothing."""

    def drop(self, ids: Collection[str]) -> None:
        """Note nothing."""


class NotificationPrefsPort(Protocol):
    """The person's notifications; every call may block and raise a ClientError.

    Each returns all that is set after it.
    """

    def settings(self) -> NotificationPrefs:
        """Return what is set."""

    def snooze(self, approval_id: str) -> NotificationPrefs:
        """Let a request ring in a while, and not before."""

    def unsnooze(self, approval_id: str) -> NotificationPrefs:
        """Let a request ring as usual."""

    def mute(self, agent_id: str) -> NotificationPrefs:
        """Let nothing of an agent ring until it is unmuted."""

    def unmute(self, agent_id: str) -> NotificationPrefs:
        """Let an agent ring again."""

    def set_quiet_hours(
        self, begins: str, ends: str, zone: str, days: tuple[str, ...]
    ) -> NotificationPrefs:
        """Set quiet hours; no days are every day."""

    def clear_quiet_hours(self) -> NotificationPrefs:
        """End the quiet hours for good."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where the app runs."""

    zone: tzinfo | None = None
    """The time zone to write times in; None is this machine's."""
    folder_is_open: bool = False
    """Whether this program could read the folder of the server it talks to."""
    opens_at: str | None = None
    """The request that is selected when the app opens; the first one if it is None or gone."""
    preferences: AlertPreferences = DEFAULTS
    """What the person wants to be told of."""
    terminal_environment: TerminalEnvironment = NOWHERE
    """The terminal and the desktop."""
    settings_store: SettingsStore = NoSettingsStore()  # noqa: RUF009  # it has no state
    """Where the person's settings are kept."""
    issuer: str = "https://sayso.invalid"
    """The address of the server, as its login has it; its pages lie below."""
    login: SafeText = SafeText("")  # noqa: RUF009  # a text never changes
    """What this login is called, where there are several."""
    zone_name: str | None = None
    """What this machine's time zone is called; None where it does not say."""
    theme: str = "sayso"
    keymap: Keymap = AS_THEY_ARE


DEFAULT_ENVIRONMENT = Environment()
"""This machine, with nothing to warn of."""


@dataclass(frozen=True, slots=True)
class ScreenContext:
    """All that a screen works with."""

    server: ServerPort
    answers: DecisionPort
    prefs_client: NotificationPrefsPort
    grants_client: StandingGrantsPort
    feed: FeedPort
    guard: InputGuard
    now: Callable[[], int]
    """The server's time in milliseconds since the epoch."""
    ticks: Callable[[], float]
    """Seconds on a clock that only goes forward, for delays."""
    environment: Environment
    notifier: Notifier
    """Who calls the person when they look elsewhere."""
    unsent_denials: UnsentDenialsPort = NoUnsentDenials()  # noqa: RUF009  # it has no state
    """What was about to be denied when this program ended."""
    others: OtherLoginsPort = NoOtherLogins()  # noqa: RUF009  # it has no state
    """What waits at other servers."""

    def named(self, user: SafeText) -> SafeText:
        """Return the person with the login where there are several: `alice@work`."""
        login = self.environment.login
        return say("{}@{}", user, login) if user and login else user

    def view(self, width: int) -> RenderContext:
        """Return from where facts are looked at, in so many cells."""
        return RenderContext(self.now(), self.zone, width, self.keys)

    @property
    def keys(self) -> Keymap:
        """Which key does what."""
        return self.environment.keymap

    @property
    def zone(self) -> tzinfo | None:
        """The person's time zone; None is this machine's."""
        return self.environment.zone
