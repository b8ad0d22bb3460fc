"""One request for a human answer, as it is drawn and signed.

Owns: the verified display document and what the server says happened to the request.
Never: text that skipped `display_safe`, but for the two signed texts. Times are milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.approvals.ceremony import Ceremony, Step, TypeBack
from approver_tui.state.approvals.decision import Answer, DenyCode
from approver_tui.state.approvals.narrowing import Granted, narrowed_headline, outcome_headline
from approver_tui.state.approvals.votes import VoteTally
from approver_tui.state.fingerprint import fingerprint
from approver_tui.state.notifications.deliveries import Delivery
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText

_HIGH = Risk.HIGH.rank
_PIN = frozenset({Step.PIN})


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
    STANDING_GRANT = "standing_grant"
    """Lets an agent do something like an earlier request again, so often, so long, so much."""


_GIVEN = frozenset({Kind.CONSENT, Kind.STANDING_GRANT})


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
class Anomaly:
    """One thing that the server found unusual about a request."""

    code: SafeText
    text: SafeText
    severity: SafeText

    @property
    def warns(self) -> bool:
        """Whether it contradicts what was approved before. Others are first times."""
        return self.severity != "notice"


@dataclass(frozen=True, slots=True)
class RequestingAgent:
    """The agent that asks, as the server knows it."""

    id: SafeText
    name: SafeText
    owners: tuple[SafeText, ...]
    first_request: bool
    """True if this agent never asked this person before."""
    keys: tuple[SafeText, ...] = ()
    """What its credentials are called."""
    through: tuple[SafeText, ...] = ()
    """Who acted for the person before it, nearest first."""


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
    unusual: tuple[Anomaly, ...] | None
    """Empty when nothing is; None for what the server does not compare with anything.

    Compared with what was approved until now if the server sent that; else as it was when asked.
    """
    undo: SafeText
    why: SafeText
    gives: SafeText
    agent: RequestingAgent
    agent_says: SafeText | None
    """The agent's own words: show them quoted and marked as not verified."""
    user_id: str
    user_name: SafeText
    asked_from: SafeText
    asked_at: int
    expires_at: int
    compared: SafeText | None = None
    """How much history there was to compare with."""
    type_back: TypeBack | None = None
    """Which of the facts a yes takes, typed by hand."""


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
    ceremony: SafeText
    """What the answer took, as the server spells it."""
    self_approved: bool
    """One yes was enough for what is critical, and the person asked gave it."""
    reason: SafeText | None = None
    """Why they said yes, for the record alone."""
    retry_at: int | None = None
    """From when on the agent may ask again."""
    ask: SafeText | None = None
    """Whom the agent was told to ask instead."""
    private_note: SafeText | None = None
    """A word for the record that no agent sees."""


@dataclass(frozen=True, slots=True)
class AutomaticDecision:
    """What decided instead of the person, and the policy that needed no more.

    A consent of theirs, or a use of a standing grant.
    """

    consent: SafeText | None
    policy: int
    grant: SafeText | None = None
    use: int | None = None

    @property
    def by(self) -> str:
        """What it was, in words that need nothing else."""
        return "standing grant" if self.consent is None else "consent"


@dataclass(frozen=True, slots=True)
class Execution:
    """What came of it at its resource."""

    id: SafeText
    """The resource's own name for what it did."""
    done: bool | None
    """None while the resource has not said whether it worked."""
    text: SafeText | None
    """The resource's own words."""
    as_granted: bool | None
    """None where the resource did not say what ran."""
    at: int
    """When it last said something of it."""

    @property
    def word(self) -> str:
        """How it went, in words that a time follows."""
        return {None: "Begun at its resource at", True: "Carried out at", False: "Failed at"}[
            self.done
        ]


class Retry(StrEnum):
    """What can still be said to the agent of a request that expired."""

    POSSIBLE = "possible"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class ReplacedRequest:
    """A request whose place a newer one of the same agent took."""

    id: str
    fingerprint: SafeText


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval. What is drawn comes from `display`, which was parsed from `display_text`."""

    id: str
    state: ApprovalState
    ceremony: Ceremony
    """What a yes demands beside a confirmation in the unlocked app."""
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
    unasked: AutomaticDecision | None = None
    """Why nobody had to answer, where nobody had to."""
    granted: Granted | None = None
    """What was granted, where that is less than what was asked."""
    execution: Execution | None = None
    together: VoteTally | None = None
    """How far it is, where others are asked too."""
    held_back: bool = False
    """Whether it came with so many others that the person was not called for it."""
    supersedes: ReplacedRequest | None = None
    """Which request it took the place of, where its agent asked anew."""
    devices: tuple[Delivery, ...] = ()
    """What this person's devices had of it; only on a freshly shown approval."""
    nonce: str | None = None
    """The server's nonce for this device's answer; only on a freshly shown approval."""
    over_at: int | None = None
    """When it was over, however it ended."""
    extended_to: int | None = None
    """The end that the server tells now; the signed display has the one of when it was asked."""
    retry: Retry | None = None
    """Whether its agent can be, or was, asked to ask again, once it has expired."""
    tries_left: Mapping[Step, int] | None = None
    """How often each step may still be typed; beside the nonce."""
    look: str | None = None
    """What it shares with requests that look alike (`alike.py`); None: with none."""

    @property
    def fingerprint(self) -> str:
        """The short form of the action's digest, derived here and never taken from the server."""
        return fingerprint(self.action_text)

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """What makes it this very request: both signed texts and their digests."""
        return self.action_digest, self.display_digest, self.action_text, self.display_text

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
            return "given" if self.kind in _GIVEN else "signed in"
        if self.is_taken_back:
            return "no longer needed"
        if self.was_superseded:
            return "superseded"
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
    def granted_headline(self) -> SafeText:
        """The same of what is granted, where that is less."""
        return narrowed_headline(self.headline, self.granted)

    @property
    def told_headline(self) -> SafeText:
        """What was granted first, then what was asked; for every screen."""
        is_given = self.state in {ApprovalState.APPROVED, ApprovalState.REDEEMED}
        return outcome_headline(self.headline, self.granted, is_given=is_given)

    @property
    def agent(self) -> RequestingAgent:
        """The agent that asks."""
        return self.display.agent

    @property
    def agent_says(self) -> SafeText | None:
        """The agent's own words, not verified."""
        return self.display.agent_says

    @property
    def expires_at(self) -> int:
        """When an answer stops counting."""
        return max(self.display.expires_at, self.extended_to or 0)

    @property
    def ended_at(self) -> int:
        """When it was over, or will be if nobody answers."""
        return self.expires_at if self.over_at is None else self.over_at

    @property
    def is_held_back(self) -> bool:
        """Whether it waits apart from those for which the person was called."""
        return self.held_back and self.state is ApprovalState.PENDING

    @property
    def is_taken_back(self) -> bool:
        """Whether its agent said that nobody needs to answer it any more."""
        return self.state is ApprovalState.CANCELLED and self.reason == "withdrawn"

    @property
    def was_superseded(self) -> bool:
        """Whether its agent asked anew, and the newer request stands for it."""
        return self.state is ApprovalState.CANCELLED and self.reason == "superseded"

    @property
    def was_locked(self) -> bool:
        """Whether it ended because too much was typed wrongly."""
        return self.state is ApprovalState.CANCELLED and self.reason == "locked"

    @property
    def needs_pin(self) -> bool:
        """Whether a yes needs the PIN for this very approval."""
        return Step.PIN in self.steps

    @property
    def steps(self) -> Ceremony:
        """What a yes takes: the PIN at high risk, whatever the server says."""
        return self.ceremony | _PIN if self.risk.rank >= _HIGH else self.ceremony

    def what(self, step: Step) -> SafeText:
        """What a step takes, to go on after "takes"."""
        asked = self.display.type_back
        return asked.what if step is Step.TYPE_BACK and asked is not None else step.what

    @property
    def is_locked(self) -> bool:
        """Whether too much was typed wrongly for this person to say yes."""
        return 0 in (self.tries_left or {}).values()

    def is_lapsed(self, now: int) -> bool:
        """Whether it expired without an answer, so that its agent can be asked to ask again.

        The server, which is told of that, may not have noticed the end yet.
        """
        if self.state is ApprovalState.PENDING:
            return self.kind is Kind.ACTION and now >= self.expires_at
        return self.retry is Retry.POSSIBLE

    def is_waiting(self, now: int) -> bool:
        """Whether an answer given at `now` would still count."""
        if self.state is not ApprovalState.PENDING:
            return False
        return now < self.display.expires_at or now < (self.extended_to or 0)


@dataclass(frozen=True, slots=True)
class Unverified:
    """A request that is listed, and of which nothing is believed: it can never be answered here."""

    id: SafeText
    """The id that the server gave it."""
    problem: SafeText
    """What does not verify: the member and what is wrong with it."""
