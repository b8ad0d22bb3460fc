"""One request for a human answer, as it is drawn and signed.

Owns: the verified display document and what the server says happened to the request.
Never: text that did not go through `display_safe`, except the two signed texts, kept as received.
Times are integers, milliseconds since the epoch.
"""

from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.decision import Answer, Ceremony, DenyCode
from approver_tui.state.fingerprint import fingerprint
from approver_tui.state.narrowing import Granted
from approver_tui.state.text import SafeText


class Risk(StrEnum):
    """How much harm a wrong yes can do, as the server's policy sees it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """The order of risks: 0 is the lowest."""
        return tuple(Risk).index(self)


class Kind(StrEnum):
    """What a yes does."""

    ACTION = "action"
    """Lets an agent do one thing."""
    CONSENT = "consent"
    """Lets an agent or app act without asking, until a date."""
    DEVICE = "device"
    """Lets a device sign in as this person."""
    APP_DEVICE = "app_device"
    """Lets an app on a device act as this person."""
    APP_ACTION = "app_action"
    """Lets an app do one thing."""


class ApprovalState(StrEnum):
    """Where an approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REDEEMED = "redeemed"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what would happen."""

    label: SafeText
    value: SafeText
    material: bool
    """True for what matters most; those come first."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One right that the agent would get."""

    name: SafeText
    risk: Risk


@dataclass(frozen=True, slots=True)
class Oddity:
    """One thing that the server found unusual about a request."""

    code: SafeText
    text: SafeText


@dataclass(frozen=True, slots=True)
class Asker:
    """The agent that asks, as the server knows it."""

    id: SafeText
    name: SafeText
    owners: tuple[SafeText, ...]
    first_request: bool
    """True if this agent never asked this person before."""


@dataclass(frozen=True, slots=True)
class Display:
    """The display document: everything a person sees before they answer."""

    approval: str
    kind: Kind
    risk: Risk
    risk_reason: SafeText
    title: SafeText
    headline: SafeText
    facts: tuple[Fact, ...]
    scopes: tuple[Scope, ...]
    resource: SafeText
    unusual: tuple[Oddity, ...] | None
    """Empty when nothing is; None for what the server does not compare with anything."""
    undo: SafeText
    why: SafeText
    gives: SafeText
    agent: Asker
    agent_says: SafeText | None
    """The agent's own words: show them quoted and marked as not verified."""
    user_id: str
    user_name: SafeText
    asked_from: SafeText
    asked_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Decided:
    """Who answered, from where, and how."""

    decision: Answer
    by_id: SafeText
    by_name: SafeText
    device_id: SafeText
    device_name: SafeText
    at: int
    channel: SafeText
    code: DenyCode | None
    note: SafeText | None


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval. What is drawn comes from `display`, which was parsed from `display_text`."""

    id: str
    state: ApprovalState
    ceremony: Ceremony
    """What a yes demands: a confirmation in the unlocked app, or the PIN."""
    display: Display
    action_text: str
    """The signed action as received; not safe to draw as it is."""
    display_text: str
    """The signed display document as received; not safe to draw as it is."""
    action_digest: str
    display_digest: str
    created_at: int
    reason: SafeText | None = None
    """Why it is no longer pending, where that needs saying."""
    decided: Decided | None = None
    granted: Granted | None = None
    """What was granted, where that is less than what was asked."""
    nonce: str | None = None
    """The server's nonce for this device's answer; only on a freshly shown approval."""

    @property
    def fingerprint(self) -> str:
        """The short form of the action's digest, derived here and never taken from the server."""
        return fingerprint(self.action_text)

    @property
    def kind(self) -> Kind:
        """What a yes does; the signed action says the same."""
        return self.display.kind

    @property
    def is_action(self) -> bool:
        """True if a yes lets somebody do one thing."""
        return self.kind in {Kind.ACTION, Kind.APP_ACTION}

    @property
    def state_word(self) -> str:
        """Where it stands, in a word that fits its kind."""
        if self.state is ApprovalState.REDEEMED and not self.is_action:
            return "given" if self.kind is Kind.CONSENT else "signed in"
        if self.is_taken_back:
            return "no longer needed"
        return self.state.value

    @property
    def risk(self) -> Risk:
        """The risk in the display document."""
        return self.display.risk

    @property
    def headline(self) -> SafeText:
        """The one line that says what would happen."""
        return self.display.headline

    @property
    def agent(self) -> Asker:
        """The agent that asks."""
        return self.display.agent

    @property
    def agent_says(self) -> SafeText | None:
        """The agent's own words, not verified."""
        return self.display.agent_says

    @property
    def expires_at(self) -> int:
        """When an answer stops counting."""
        return self.display.expires_at

    @property
    def is_taken_back(self) -> bool:
        """Whether its agent said that nobody needs to answer it any more."""
        return self.state is ApprovalState.CANCELLED and self.reason == "withdrawn"

    @property
    def needs_pin(self) -> bool:
        """Whether a yes needs the PIN for this very approval."""
        return self.ceremony is Ceremony.PIN or self.risk.rank >= Risk.HIGH.rank

    def is_waiting(self, now: int) -> bool:
        """Whether an answer given at `now` would still count."""
        return self.state is ApprovalState.PENDING and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Unverified:
    """A request that is listed, and of which nothing is believed: it can never be answered here."""

    id: SafeText
    """The id that the server gave it."""
    problem: SafeText
    """What does not verify: the member and what is wrong with it."""
