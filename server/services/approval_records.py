"""What we remember of requests for a human answer and of the answers, as frozen records.

Times are milliseconds since the epoch (`*_at`).
"""

from dataclasses import dataclass
from typing import Final, Literal

from server.protocol import ceremonies
from server.protocol.ceremonies import Step
from server.protocol.risks import Risk
from server.protocol.states import State

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
