"""Requests for approvals that pages and the device grant create."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from server.model.approvals import Approval, ApprovalKind
from server.model.store import Unit, View
from server.protocol.approvals.ceremonies import Ceremony
from server.protocol.json_text import JsonValue
from server.protocol.policy.risks import Risk

LIFETIME_SECONDS: Final = 600
"""The lifetime of approvals that a page or a terminal waits for."""


@dataclass(frozen=True, slots=True)
class NewApproval:
    """The input of a new approval."""

    kind: ApprovalKind
    client_id: str
    user_id: str
    phantom: bool
    """True for a phantom request: nobody is asked, and it expires like a real one."""
    resource: str
    scope: tuple[str, ...]
    details: Sequence[Mapping[str, JsonValue]]
    risk: Risk
    actor: str
    peer: str
    display: Callable[[str, int], str]
    """Builds the display text from the approval's ID and expiry."""
    ceremony: Ceremony | None = None
    """The required steps; None uses the steps of the risk."""
    policy: Mapping[str, object] = field(default_factory=dict)
    """The policy decision, if policy was evaluated."""
    no_later_than: int | None = None
    """The latest allowed expiry; None uses the default expiry."""


CreateApproval: TypeAlias = Callable[[Unit, NewApproval], Approval]
"""Creates an approval with its audit entry and events."""

FindForApprover: TypeAlias = Callable[[View, str, str], Approval]
"""Finds a request by its ID, for one of its approvers. Raises errors.Problem 404."""
