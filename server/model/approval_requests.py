"""What approvals are created from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from server.model.approvals import Approval, ApprovalKind
from server.model.store import Unit, View
from server.model.users import User
from server.protocol.approvals.ceremonies import Ceremony, TypeBack
from server.protocol.approvals.unusual import Unusual
from server.protocol.json_text import JsonValue
from server.protocol.policy.risks import Risk

LIFETIME_SECONDS: Final = 600
"""The lifetime of approvals that a page or a terminal waits for."""


@dataclass(frozen=True, slots=True)
class Display:
    """What approvers see of a request, for any kind of approval."""

    kind: ApprovalKind
    risk: Risk
    risk_reason: str
    title: str
    headline: str
    facts: Sequence[JsonValue]
    scopes: Mapping[str, Risk]
    resource: str
    undo: str
    why: str
    gives: str
    agent: Mapping[str, JsonValue]
    user: User
    peer: str
    unusual: Unusual | None = None
    """None for kinds that are not compared with history."""
    agent_says: str | None = None
    type_back: TypeBack | None = None
    """The value that the approver types back."""


@dataclass(frozen=True, slots=True)
class NewApproval:
    """The input of a new approval. `display` has its kind, risk, resource, user and address."""

    client_id: str
    scope: tuple[str, ...]
    details: Sequence[Mapping[str, JsonValue]]
    actor: str
    display: Display
    phantom: bool = False
    """True for a phantom request: nobody is asked, and it expires like a real one."""
    ceremony: Ceremony | None = None
    """The required steps; None uses the steps of the risk."""
    policy: Mapping[str, object] = field(default_factory=dict)
    """The policy decision, if policy was evaluated."""
    seconds: int = LIFETIME_SECONDS
    """The lifetime."""
    no_later_than: int | None = None
    """The latest allowed expiry, if the lifetime would end later."""


CreateApproval: TypeAlias = Callable[[Unit, NewApproval], Approval]
"""Creates an approval with its audit entry and events."""

FindForApprover: TypeAlias = Callable[[View, str, str], Approval]
"""Finds a request by its ID, for one of its approvers. Raises errors.Problem 404."""
