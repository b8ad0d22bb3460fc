"""One approval request, as it is drawn and signed. Times are milliseconds.

Owns: the verified display and the reported state. Never: unsafe text, except the two signed texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.approvals.ceremony import Ceremony, Step, TypeBack
from approver_tui.state.approvals.decision import Answer, DenyCode, Note
from approver_tui.state.approvals.narrowing import Granted, narrowed_headline, outcome_headline
from approver_tui.state.approvals.requesting_agent import RequestingAgent
from approver_tui.state.approvals.votes import VoteTally
from approver_tui.state.fingerprint import fingerprint
from approver_tui.state.notifications.deliveries import Delivery
from approver_tui.state.risks import Risk
from approver_tui.state.text import Headline, LongLine, LongText, SafeText

_HIGH = Risk.HIGH.rank
_PIN = frozenset({Step.PIN})


class Kind(StrEnum):
    """The effect of approving a request."""

    ACTION = "action"
    """Lets an agent do one thing."""
    CONSENT = "consent"
    """Lets an agent or app act without asking, until a date."""
    DEVICE = "device"
    """Lets a device sign in as this user."""
    APP_DEVICE = "app_device"
    """Lets an app on a device act as this user."""
    APP_ACTION = "app_action"
    """Lets an app do one thing."""
    STANDING_GRANT = "standing_grant"
    """Lets an agent repeat similar requests, within limits of uses, time and money."""


class ApprovalState(StrEnum):
    """The state of an approval."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REDEEMED = "redeemed"


_AFTER_APPROVAL = {
    ApprovalState.EXPIRED: "not collected",
    ApprovalState.CANCELLED: "then withdrawn",
}
_VERDICTS = {ApprovalState.REDEEMED: "approved", ApprovalState.CANCELLED: "withdrawn"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the display document."""

    label: SafeText
    value: LongText
    material: bool
    """Whether it is one of the main facts, which are shown first."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope that the agent would get."""

    name: SafeText
    risk: Risk


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One thing that the server found unusual about a request."""

    code: SafeText
    text: LongLine
    severity: SafeText

    @property
    def warns(self) -> bool:
        """Whether it contradicts earlier approvals; other anomalies are first times."""
        return self.severity != "notice"


@dataclass(frozen=True, slots=True)
class Display:
    """The display document: everything that a user sees before they answer."""

    approval: str
    kind: Kind
    risk: Risk
    risk_reason: LongLine
    title: SafeText
    headline: Headline
    facts: tuple[Fact, ...]
    scopes: tuple[Scope, ...]
    resource: LongLine
    unusual: tuple[Anomaly, ...] | None
    """Empty if nothing is unusual; None if the server does not compare this kind.

    If the server sent a current comparison, it is used; otherwise the one at request time.
    """
    undo: LongText
    why: LongText
    gives: LongText
    agent: RequestingAgent
    agent_says: LongLine | None
    """The agent's own words. Show them quoted and marked as not verified."""
    user_id: str
    user_name: SafeText
    asked_from: SafeText
    asked_at: int
    expires_at: int
    compared: LongLine | None = None
    """How many earlier approvals it was compared with."""
    type_back: TypeBack | None = None
    """The fact that must be typed back to approve, if any."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Who answered, on which device, and how."""

    decision: Answer
    by_id: SafeText
    by_name: SafeText
    device_id: SafeText
    device_name: SafeText
    at: int
    channel: SafeText
    code: DenyCode | None
    note: Note | None
    ceremony: SafeText
    """The steps that the answer required, as the server spells them."""
    self_approved: bool
    """Whether one approval was enough for a critical request, and it was the requester's own."""
    reason: Note | None = None
    """The reason for the approval, for the audit log only."""
    retry_at: int | None = None
    """When the agent may ask again."""
    ask: SafeText | None = None
    """Who the agent was told to ask instead."""
    private_note: Note | None = None
    """A note for the audit log that no agent sees."""


@dataclass(frozen=True, slots=True)
class AutomaticDecision:
    """The consent or standing grant that decided instead of the user, and the policy version."""

    consent: SafeText | None
    policy: int
    grant: SafeText | None = None
    use: int | None = None

    @property
    def kind_text(self) -> SafeText:
        """The kind of the decision, in words."""
        return SafeText("standing grant" if self.consent is None else "consent")


@dataclass(frozen=True, slots=True)
class Execution:
    """What the resource has reported about carrying out the action."""

    id: SafeText
    """The resource's own ID for it."""
    succeeded: bool | None
    """None until the resource has reported whether it worked."""
    text: SafeText | None
    """The resource's own words."""
    as_granted: bool | None
    """None if the resource did not report what it did."""
    at: int
    """The time of the resource's last report."""

    @property
    def progress_text(self) -> str:
        """The result in words that are followed by a time."""
        return {None: "Started at", True: "Carried out at", False: "Failed at"}[self.succeeded]


class Retry(StrEnum):
    """Whether the agent of an expired request can be, or was, asked to retry."""

    POSSIBLE = "possible"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class ReplacedRequest:
    """An earlier request that a newer one of the same agent replaced."""

    id: str
    fingerprint: SafeText


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval. The screen shows `display`, which was parsed from `display_text`."""

    id: str
    state: ApprovalState
    ceremony: Ceremony
    """The steps that approving requires besides a confirmation in the unlocked app."""
    display: Display
    action_text: str
    """The signed action as received; not safe to draw."""
    display_text: str
    """The signed display document as received; not safe to draw."""
    action_digest: str
    display_digest: str
    created_at: int
    reason: SafeText | None = None
    """The reason why it is no longer pending, if the state alone does not explain it."""
    decision: Decided | None = None
    automatic_decision: AutomaticDecision | None = None
    """The consent or grant that decided the request without the user, if any."""
    granted: Granted | None = None
    """The granted text, if it is narrower than the request."""
    execution: Execution | None = None
    vote_tally: VoteTally | None = None
    """The votes so far, if several people are asked."""
    held_back: bool = False
    """Whether it was held back without an alert, because too many came at once."""
    supersedes: ReplacedRequest | None = None
    """The request that it replaced, if any."""
    devices: tuple[Delivery, ...] = ()
    """Its notifications on this user's devices; only on a freshly fetched approval."""
    nonce: str | None = None
    """The server's nonce for this device's answer; only on a freshly fetched approval."""
    over_at: int | None = None
    """When it ended, however it ended."""
    extended_to: int | None = None
    """The current expiry; the signed display has the original one."""
    retry: Retry | None = None
    """Whether its agent can be, or was, asked to retry after it expired."""
    tries_left: Mapping[Step, int] | None = None
    """The remaining attempts of each typed step; comes with the nonce."""
    look_key: str | None = None
    """The key that it shares with requests that look alike (`look_alikes.py`), or None."""

    @property
    def fingerprint(self) -> str:
        """The short form of the action's digest, computed here and never taken from the server."""
        return fingerprint(self.action_text)

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """The identity of the request: both signed texts and their digests."""
        return self.action_digest, self.display_digest, self.action_text, self.display_text

    @property
    def kind(self) -> Kind:
        """The effect of approving; the signed action says the same."""
        return self.display.kind

    @property
    def is_action(self) -> bool:
        """Whether approving it lets an agent or app do one thing."""
        return self.kind in {Kind.ACTION, Kind.APP_ACTION}

    @property
    def was_approved(self) -> bool:
        """Whether it was approved, whatever happened later."""
        is_approved_by_user = self.decision is not None and self.decision.decision is Answer.APPROVE
        return is_approved_by_user or self.automatic_decision is not None

    @property
    def verdict_text(self) -> str:
        """The outcome in one word, the same as on pages; an approved request remains approved."""
        if self.later_text:
            return "approved"
        return _VERDICTS.get(self.state, self.state.value)

    @property
    def later_text(self) -> str:
        """How an approved request ended before its token was collected; empty if it did not."""
        return _AFTER_APPROVAL.get(self.state, "") if self.was_approved else ""

    @property
    def state_text(self) -> str:
        """The outcome, the same as on pages: the verdict, and how an approved request ended."""
        return ", ".join(filter(None, (self.verdict_text, self.later_text)))

    @property
    def risk(self) -> Risk:
        """The risk in the display document."""
        return self.display.risk

    @property
    def headline(self) -> SafeText:
        """One line that says what would happen."""
        return self.display.headline

    @property
    def granted_headline(self) -> SafeText:
        """The headline of the granted part, if less was granted."""
        return narrowed_headline(self.headline, self.granted)

    @property
    def outcome_headline(self) -> SafeText:
        """The granted headline, then the requested one; for every screen."""
        is_given = self.state in {ApprovalState.APPROVED, ApprovalState.REDEEMED}
        return outcome_headline(self.headline, self.granted, is_given=is_given)

    @property
    def agent(self) -> RequestingAgent:
        """The agent that made the request."""
        return self.display.agent

    @property
    def agent_says(self) -> SafeText | None:
        """The agent's own words, not verified."""
        return self.display.agent_says

    @property
    def expires_at(self) -> int:
        """When it expires."""
        return max(self.display.expires_at, self.extended_to or 0)

    @property
    def ended_at(self) -> int:
        """When it ended, or when it will expire."""
        return self.expires_at if self.over_at is None else self.over_at

    @property
    def is_held_back(self) -> bool:
        """Whether it is listed apart from the requests that alert."""
        return self.held_back and self.state is ApprovalState.PENDING

    @property
    def is_withdrawn(self) -> bool:
        """Whether its agent withdrew it."""
        return self.state is ApprovalState.CANCELLED and self.reason == "withdrawn"

    @property
    def was_superseded(self) -> bool:
        """Whether its agent replaced it with a newer request."""
        return self.state is ApprovalState.CANCELLED and self.reason == "superseded"

    @property
    def was_locked(self) -> bool:
        """Whether it ended because of too many wrong entries."""
        return self.state is ApprovalState.CANCELLED and self.reason == "locked"

    @property
    def needs_pin(self) -> bool:
        """Whether approving it requires the PIN even in the unlocked app."""
        return Step.PIN in self.steps

    @property
    def steps(self) -> Ceremony:
        """The steps for approving; at high risk always with the PIN, whatever the server says."""
        return self.ceremony | _PIN if self.risk.rank >= _HIGH else self.ceremony

    def requirement(self, step: Step) -> SafeText:
        """Return the requirement of a step, in words that follow "requires"."""
        type_back = self.display.type_back
        return (
            type_back.requirement
            if step is Step.TYPE_BACK and type_back is not None
            else step.requirement
        )

    @property
    def is_locked(self) -> bool:
        """Whether this user is locked out of approving after too many wrong entries."""
        return 0 in (self.tries_left or {}).values()

    def is_expired(self, now: int) -> bool:
        """Whether it expired without an answer, so that its agent can be asked to retry.

        The server may not have noticed the expiry yet.
        """
        if self.state is ApprovalState.PENDING:
            return self.kind is Kind.ACTION and now >= self.expires_at
        return self.retry is Retry.POSSIBLE

    def is_waiting(self, now: int) -> bool:
        """Whether an answer at `now` would still count."""
        if self.state is not ApprovalState.PENDING:
            return False
        return now < self.display.expires_at or now < (self.extended_to or 0)


@dataclass(frozen=True, slots=True)
class Unverified:
    """A listed request that failed verification: it can never be answered here."""

    id: SafeText
    """The ID that the server gave it."""
    problem: SafeText
    """The error: the member and its problem."""
