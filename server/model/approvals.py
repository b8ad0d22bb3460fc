"""Approval requests and the answers to them.

Times are milliseconds since the epoch (`*_at`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from server.protocol.approvals import ceremonies
from server.protocol.approvals.ceremonies import Step
from server.protocol.approvals.states import State, overdue
from server.protocol.ciba.requests import INTERVAL_MS
from server.protocol.policy.risks import Risk

ApprovalKind = Literal["action", "consent", "device", "app_device", "app_action", "standing_grant"]
"""What approving does.

`action` lets an agent fetch its token. `consent` and `standing_grant` store a consent or a grant.
`device` signs in a terminal. `app_device` creates a consent and signs in an app on a device without
a browser. `app_action` lets an app fetch one token for an action.
"""

ListCursor: TypeAlias = tuple[int, str] | None
"""The cursor of a list page: the page begins after this number and ID."""

ApproverReason = Literal["asked", "group", "backup", "deputy"]
"""Why a user is asked: the request is for them, policy names them, or they act for another."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A request for a person's answer."""

    id: str
    auth_req_hash: bytes
    agent_id: str
    """The client that gets the token or consent: an agent, an app or the terminal app."""
    user_id: str | None
    """None for a phantom request: nobody is asked, and it expires like a real one."""
    resource: str
    scope: str
    """The scopes of the token, sorted, without the OpenID scopes."""
    openid_scope: str
    """The OpenID scopes of the request."""
    details: str
    """`authorization_details` as JSON text, "[]" when there are none."""
    risk: Risk
    ceremony: str
    """The steps required to approve, in the text form of `protocol.approvals.ceremonies`."""
    action: str
    display: str
    action_digest: str
    display_digest: str
    created_at: int
    expires_at: int
    request_hash: bytes
    acr_values: str = ""
    state: State = State.PENDING
    reason: str | None = None
    interval_ms: int = INTERVAL_MS
    last_poll_at: int | None = None
    polls: int = 0
    holder: str | None = None
    """The long poll that may return the result; a newer one replaces it."""
    seen_at: int | None = None
    decided_at: int | None = None
    idempotency_hash: bytes | None = None
    answer: bytes | None = None
    """The sealed token response, while the client may fetch it again."""
    answer_key: bytes | None = None
    answer_until: int | None = None
    caller_id: str | None = None
    """The client that called the agent, as proven by the client's token."""
    parent_id: str | None = None
    """The subject token of the exchange that started this request. The new token's `act` claim
    nests the subject token's actors."""
    kind: ApprovalKind = "action"
    delivery: str = "poll"
    """How the answer reaches the agent: its registered delivery mode at the time of the request."""
    notification_token: bytes | None = None
    """The sealed `client_notification_token`, until the agent has been notified."""
    jkt: str | None = None
    """The key that pushed tokens are bound to; an agent that polls proves its key when it polls."""
    policy: str = "{}"
    """Why approval is needed, as JSON text: outcome, rules, version and hash of the rule set."""
    past: str = "{}"
    """The signals of the request, and the entries that approving adds to history, as JSON text."""
    granted: str | None = None
    """The granted text if the request was narrowed."""
    granted_rows: str = "{}"
    """The headline of what was granted, and the facts that differ, as JSON text."""
    held_back: bool = False
    """Too many requests arrived at once, so the user was not notified of this one."""
    delivered_at: int | None = None
    """When the first device received it."""
    quorum: int = 1
    """How many people must approve."""
    multi_approver: bool = False
    """Other people are asked too, or `user_id` may not approve; see the approver rows."""
    decided_by: str | None = None
    """The standing grant or consent that decided instead of a person, as JSON text."""
    life_ms: int = 0
    """The original lifetime; an extension restarts it at the time of the extension."""
    extensions: int = 0
    escalate_at: int | None = None
    """When the next step of `escalations` is due; None when there is none."""
    escalated: int = 0
    """How many escalation steps were taken since it was created or extended."""
    supersedes: str | None = None
    """The ID of the earlier request of the same agent that it replaced."""
    retry_asked_at: int | None = None
    """When someone asked the agent to retry, after it expired."""
    hint_hash: bytes | None = None
    """A hash of the agent's login hint; used for counting and comparing if users are hidden."""

    @property
    def sort_key(self) -> int:
        """The sort key of pending requests: highest risk first, then soonest expiry."""
        return lowest_sort_key(self.risk) + self.expires_at

    def is_overdue(self, now: int) -> bool:
        """Return whether it is past the deadline of its state."""
        return overdue(self.state, self.expires_at, now)

    def is_pending(self, now: int) -> bool:
        """Return whether it can still be answered."""
        return self.state is State.PENDING and not self.is_overdue(now)


def lowest_sort_key(risk: Risk) -> int:
    """Return a key that sorts before all requests of this risk and after those of higher risk."""
    return (Risk.CRITICAL.rank - risk.rank) * _AFTER_ANY_EXPIRY


_AFTER_ANY_EXPIRY: Final = 1 << 44
"""Later than any expiry, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Approver:
    """An approver of a request. `ends_at`, `over_at` and `risk` are copied from the approval."""

    approval_id: str
    user_id: str
    why: ApproverReason
    added_at: int
    ends_at: int
    risk: Risk
    approves: bool = True
    """If False, they can see, deny and report it, but their approval would not count."""
    stands_for: str | None = None
    """The user that a backup or deputy decides for."""
    group_id: str | None = None
    """The group through which they are asked."""
    over_at: int | None = None
    held_back: bool = False
    """Too many requests arrived at once, so this person was not notified of this one."""

    @property
    def voter_id(self) -> str:
        """The user whose vote they cast: a backup or deputy votes for the user they act for."""
        return self.stands_for or self.user_id


@dataclass(frozen=True, slots=True)
class AutomaticDecision:
    """A consent or standing grant that decides a request without asking anyone."""

    facts: Mapping[str, object]
    """For the audit log and the token: IDs and versions, no prose."""
    notifies: bool = True
    """Whether the user is notified; the history always lists it."""


def automatic_decision(approval: Approval) -> Mapping[str, object] | None:
    """Return the consent or grant that decided a request, or None if there is none."""
    if approval.decided_by is None:
        return None
    decision_facts: dict[str, object] = json.loads(approval.decided_by)
    return decision_facts


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's signed answer. `jws` contains the bytes as received, including for passkeys.

    A withdrawal replaces the vote that it withdraws, and never counts.
    """

    approval_id: str
    user_id: str
    device_id: str
    decision: Literal["approve", "deny", "withdraw"]
    code: str | None
    note: str | None
    ceremony: str
    channel: str
    jws: str
    at: int
    voided_at: int | None = None
    """When it stopped counting: another approver narrowed the request, its user was disabled, or it
    is a withdrawal."""
    reason: str | None = None
    """Why they approved; audit log only."""
    retry_at: int | None = None
    """The earliest time at which the agent may ask again, if they set one."""
    ask_user: str | None = None
    """The ID of the person to ask instead, if the approver named one."""
    private_note: str | None = None
    """A note for the audit log only."""
    stands_for: str | None = None
    """The user that they decided for, if they were a backup or deputy at that time."""
    withdrawals: int = 0
    """How often they have withdrawn their vote on this request."""

    @property
    def voter_id(self) -> str:
        """The user whose vote this is: a backup or deputy votes for the user they act for."""
        return self.stands_for or self.user_id

    @property
    def used_pin(self) -> bool:
        """Whether the person entered the PIN; a decision with a false claim is refused."""
        return self.decision == "approve" and Step.PIN in ceremonies.parse_ceremony(self.ceremony)


@dataclass(frozen=True, slots=True)
class Delivery:
    """When a device received, showed and decided a request."""

    device_id: str
    device_name: str
    user_id: str
    delivered_at: int
    seen_at: int | None
    decided_at: int | None


Result: TypeAlias = Literal["executed", "failed"]


@dataclass(frozen=True, slots=True)
class Consumption:
    """The execution that consumed an approval. At most one per approval."""

    approval_id: str
    execution_id: str
    """The resource's own ID for the execution."""
    token_id: str
    resource: str
    at: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an execution, as the resource reported it. At most one per approval."""

    approval_id: str
    result: Result
    text: str | None
    """The resource's own message."""
    executed_digest: str | None
    """The digest of what ran, if the resource reported it."""
    at: int
