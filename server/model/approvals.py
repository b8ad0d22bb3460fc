"""Requests for approval, the answers to them, and what their rows promise.

Times are milliseconds since the epoch (`*_at`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from server.protocol.approvals import ceremonies
from server.protocol.approvals.ceremonies import Step
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk

ApprovalKind = Literal["action", "consent", "device", "app_device", "app_action", "standing_grant"]
"""What a yes does: allows one request, gives a consent or an answer ahead, or lets a device in."""

Why = Literal["asked", "group", "backup", "deputy"]
"""Why somebody is asked: it is for them, policy names them, or they stand in for another."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One request for a human answer."""

    id: str
    auth_req_hash: bytes
    agent_id: str
    """Who would get something: an agent, for a consent an agent or app, else the terminal app."""
    user_id: str | None
    """None for a phantom: nobody is asked, and it expires like a real one."""
    resource: str
    scope: str
    """What the token will carry, sorted, without the OpenID scopes."""
    openid_scope: str
    """The OpenID scopes of the request."""
    details: str
    """`authorization_details` as JSON text, "[]" when there are none."""
    risk: Risk
    ceremony: str
    """What a yes takes, as `protocol/ceremonies.py` spells it."""
    action: str
    display: str
    action_digest: str
    display_digest: str
    acr_values: str
    state: State
    reason: str | None
    created_at: int
    expires_at: int
    interval_ms: int
    last_poll_at: int | None
    polls: int
    holder: str | None
    """The held poll that may answer; a newer one takes its place."""
    seen_at: int | None
    decided_at: int | None
    idempotency_hash: bytes | None
    request_hash: bytes
    answer: bytes | None
    """The sealed token answer, while it may be fetched again."""
    answer_key: bytes | None
    answer_until: int | None
    parent_id: str | None = None
    """The token of whose exchange it came; what it gives nests that token's actors."""
    kind: ApprovalKind = "action"
    delivery: str = "poll"
    """How the answer reaches the agent: as it was registered when it asked."""
    notification_token: bytes | None = None
    """The sealed `client_notification_token`, until the agent has been called."""
    jkt: str | None = None
    """The key to which pushed tokens are bound; who polls proves its key when it does."""
    policy: str = "{}"
    """Why it is asked, as JSON text: outcome, rules, version and hash of the rule set."""
    past: str = "{}"
    """What was unusual about it, and what a yes adds to history, as JSON text of `histories`."""
    granted: str | None = None
    """The text of what was granted where that is less; beside it, as JSON text, how it reads: its
    headline, and the facts that differ."""
    granted_rows: str = "{}"
    held_back: bool = False
    """It came with too many others, so that the person whom it is for was not called for it."""
    delivered_at: int | None = None
    """When the first device had it."""
    quorum: int = 1
    """How many people must say yes."""
    several: bool = False
    """Others than `user_id` are asked too, or they may not say yes; rows of approvers say so."""
    decided_by: str | None = None
    """What decided instead of a person, as JSON text of `deciders`."""
    life_ms: int = 0
    """How long it was given at first to wait; an extension gives it as much again, from then."""
    extensions: int = 0
    escalate_at: int | None = None
    """When the next step of `escalations` is due; None when there is none."""
    escalated: int = 0
    """How many steps were taken since it was asked or extended."""
    supersedes: str | None = None
    """Which earlier request of its agent it took the place of, by id."""
    retry_asked_at: int | None = None
    """When somebody asked its agent to ask again, once it had expired."""
    hint_hash: bytes | None = None
    """A hash of the hint that its agent sent; counted and compared if users are hidden."""

    @property
    def place(self) -> int:
        """Where it stands among what waits: the gravest first, then what ends soonest."""
        return first_place(self.risk) + self.expires_at


def first_place(risk: Risk) -> int:
    """Before every request of this risk, after every one that is graver."""
    return (Risk.CRITICAL.rank - risk.rank) * _BEYOND


_BEYOND: Final = 1 << 44
"""Later than any end, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Approver:
    """One person whom an approval asks. `ends_at`, `over_at` and `risk` are the approval's own."""

    approval_id: str
    user_id: str
    why: Why
    added_at: int
    ends_at: int
    risk: Risk
    approves: bool = True
    """False: they see it, may deny and report it, and their yes would not count."""
    stands_for: str | None = None
    """In whose place a backup or a deputy answers."""
    group_id: str | None = None
    """As a member of which group."""
    over_at: int | None = None
    held_back: bool = False
    """It came with too many others, so that this person was not called for it."""


def own_approver(approval: Approval, user_id: str) -> Approver:
    """The person it is for, as one of those whom it asks."""
    return Approver(
        approval.id, user_id, "asked", approval.created_at, approval.expires_at, approval.risk
    )


@dataclass(frozen=True, slots=True)
class Decider:
    """Why nobody is asked."""

    said: Mapping[str, object]
    """As the record and the token have it: ids and versions, no words."""
    tells: bool = True
    """The person's screens are told; the history has it in any case."""


def said_by(approval: Approval) -> Mapping[str, object] | None:
    """What decided instead of a person; None where a person did, or nobody yet."""
    if approval.decided_by is None:
        return None
    said: dict[str, object] = json.loads(approval.decided_by)
    return said


@dataclass(frozen=True, slots=True)
class Decision:
    """One human's signed answer. `jws` holds the bytes as they were received, a passkey's too."""

    approval_id: str
    user_id: str
    device_id: str
    decision: Literal["approve", "deny"]
    code: str | None
    note: str | None
    ceremony: str
    channel: str
    jws: str
    at: int
    voided_at: int | None = None
    """Since when it does not count, because somebody else approved less."""
    reason: str | None = None
    """Why they said yes, for the record alone."""
    retry_at: int | None = None
    """From when on the agent may ask again, where they said so."""
    ask_user: str | None = None
    """Whom the agent may ask instead, where they said so: a user id."""
    private_note: str | None = None
    """A word for the record alone."""
    stands_for: str | None = None
    """In whose place they answered, whatever they are to each other by now."""

    @property
    def whose(self) -> str:
        """The user id of the person whose answer it is; who stands in for somebody gives theirs."""
        return self.stands_for or self.user_id

    @property
    def with_pin(self) -> bool:
        """Reports whether the PIN was proved for it; a false claim of it is refused."""
        return self.decision == "approve" and Step.PIN in ceremonies.read(self.ceremony)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one device had of one request."""

    device_id: str
    device_name: str
    user_id: str
    delivered_at: int
    seen_at: int | None
    decided_at: int | None


Result: TypeAlias = Literal["executed", "failed"]


@dataclass(frozen=True, slots=True)
class Consumption:
    """On which execution of a resource's an approval was spent. There is one per approval."""

    approval_id: str
    execution_id: str
    """The resource's own name for what it did."""
    token_id: str
    resource: str
    at: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How that execution went, as the resource said afterwards. There is at most one of each."""

    approval_id: str
    result: Result
    text: str | None
    """In the resource's own words."""
    executed_digest: str | None
    """Of what ran, if it said that."""
    at: int


class ApprovalRows(Protocol):
    """Approvals. Every step MUST be one conditional UPDATE; a False means: somebody was first."""

    def add(self, approval: Approval) -> None: ...
    def get(self, approval_id: str) -> Approval | None: ...
    def by_handle(self, auth_req_hash: bytes) -> Approval | None: ...
    def by_idempotency(self, agent_id: str, idempotency_hash: bytes) -> Approval | None: ...
    def open_count(
        self, agent_id: str | None, user_id: str | None, now: int, kind: ApprovalKind = "action"
    ) -> int:
        """Unanswered ones of a kind: of one agent or all (None), for one user or all (None)."""

    def open_urgent(self, agent_id: str | None, user_id: str | None, now: int) -> int:
        """Unanswered actions of high and critical risk, counted likewise."""

    def open_hinted(self, agent_id: str, hint_hash: bytes, now: int, *, urgent: bool) -> int:
        """Unanswered actions of an agent with one hint; all or urgent ones."""

    def asked_before(self, agent_id: str, user_id: str, since: int = 0) -> bool:
        """Reports whether this agent asked this user before, at this moment or later."""

    def denials_since(self, agent_id: str, user_id: str, since: int) -> list[tuple[int, str]]:
        """When, and with which `details`, the user denied this agent, whomever it asked for."""

    def denials_of(self, agent_id: str, since: int) -> list[tuple[str, int, str]]:
        """Likewise of every user, with who it was."""

    def waiting(
        self, user_id: str, now: int, limit: int, after: tuple[int, str] | None
    ) -> list[Approval]: ...
    def waiting_count(self, user_id: str, now: int) -> int: ...
    def decided(
        self, user_id: str, limit: int, before: tuple[int, str] | None
    ) -> list[Approval]: ...
    def search(
        self,
        *,
        state: State | None,
        agent_id: str | None,
        user_id: str | None,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[Approval]: ...
    def move(
        self, approval: Approval, target: State, *, now: int, reason: str | None = None
    ) -> Approval | None:
        """Take the step to `target` if the state table and the deadline allow it; else None.

        `approval` MUST have been read in this unit of work: what comes back is it, moved.
        """

    def redeem(self, approval_id: str, now: int) -> bool:
        """Take the step to redeemed, of which nothing else follows; False when it is not open."""

    def narrow(self, approval_id: str, text: str, rows: str, past: str) -> Approval | None: ...
    def paced(self, approval_id: str, *, now: int, interval_ms: int, holder: str | None) -> None:
        """Remember a poll of a pending approval."""

    def hold_back(self, approval_id: str) -> None:
        """Remember that its person was not called for it."""

    def seen(self, approval_id: str, now: int) -> bool:
        """Reports whether this was the first look."""

    def keep_answer(
        self, approval_id: str, answer: bytes, answer_key: bytes, until: int
    ) -> None: ...
    def forget_answers(self, now: int) -> int: ...
    def forget_call(self, approval_id: str) -> None:
        """Drop what was kept for calling the agent back: its token, and a pushed answer."""

    def due(self, now: int, limit: int) -> list[Approval]:
        """Those whose state the clock has ended."""

    def open_of_agent(self, agent_id: str) -> list[Approval]: ...
    def open_of_user(self, user_id: str) -> list[Approval]: ...
    def open_at_resource(self, uri: str) -> list[Approval]: ...


class ApproverRows(Protocol):
    """People who are asked beside the one it is for; each once for an approval."""

    def add(self, approver: Approver) -> bool:
        """Ask one more; False when the approval does not wait any more or asks them already."""

    def find(self, approval_id: str, user_id: str) -> Approver | None: ...
    def hold_back(self, approval_id: str, user_id: str) -> None:
        """Remember that this person was not called for it."""

    def of_approval(self, approval_id: str) -> list[Approver]: ...
    def asked(self, approval: Approval) -> tuple[Approver, ...]:
        """Everybody whom it asks, the person it is for first; nobody for a phantom."""


class DeliveryRows(Protocol):
    """What reached which device."""

    def add(self, approval_id: str, device_id: str, *, seen: bool = False) -> None:
        """A device has this request, and shows it if it is `seen`; again changes nothing."""

    def missing(self, device_id: str, approval_ids: Iterable[str]) -> list[str]:
        """Those of these requests that this device never had."""

    def of_approval(self, approval_id: str) -> list[Delivery]: ...


class DecisionRows(Protocol):
    """Signed answers; at most one per approval and human."""

    def add(self, decision: Decision) -> None: ...
    def void(self, approval_id: str, now: int) -> None:
        """None of those that were given so far counts any more."""

    def give_way(self, approval_id: str, user_id: str) -> None:
        """Drop a person's answer that does not count any more; the log keeps it."""

    def of_approval(self, approval_id: str) -> list[Decision]: ...


class CeremonyTryRows(Protocol):
    """Tries to type what a ceremony asks for, by approval, step and person."""

    def count(self, approval_id: str, step: Step, user_id: str, most: int) -> int | None:
        """One more try, and how many that are; None when there were `most` before.

        MUST be one statement: tries that come at once are all counted.
        """

    def give_back(self, approval_id: str, step: Step, user_id: str) -> None:
        """One try less: it was right."""

    def of(self, approval_id: str, user_ids: tuple[str, str]) -> Mapping[Step, int]:
        """How many there were of each step."""


class ConsumptionRows(Protocol):
    """Approvals that were spent at a resource."""

    def first(self, wanted: Consumption) -> bool:
        """Reports whether it is spent now; at most one call for an approval ever gets True."""

    def get(self, approval_id: str) -> Consumption | None: ...


class OutcomeRows(Protocol):
    """What resources said of their executions."""

    def first(self, wanted: Outcome) -> bool:
        """Reports whether it is written now; at most one call for an approval ever gets True."""

    def get(self, approval_id: str) -> Outcome | None: ...
