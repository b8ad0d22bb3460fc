"""What a person is to be asked, before there is an approval."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from server.model.approvals import Approval, ApprovalKind
from server.model.store import Unit, View
from server.protocol.approvals.ceremonies import Ceremony
from server.protocol.json_text import JsonValue
from server.protocol.policy.risks import Risk

SECONDS: Final = 600
"""How long somebody waits in front of a page or a terminal."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a person is to be asked."""

    kind: ApprovalKind
    client_id: str
    user_id: str
    phantom: bool
    """Nobody is asked; it expires like a real one."""
    resource: str
    scope: tuple[str, ...]
    details: Sequence[Mapping[str, JsonValue]]
    risk: Risk
    actor: str
    peer: str
    display: Callable[[str, int], str]
    """The display text for the approval's id and its end."""
    ceremony: Ceremony | None = None
    """What a yes takes; what the risk demands if unsaid."""
    policy: Mapping[str, object] = field(default_factory=dict)
    """What policy said, where it was asked."""
    no_later_than: int | None = None
    """Ends the approval before its usual time is over."""


OpenApproval: TypeAlias = Callable[[Unit, Opening], Approval]
"""Writes the approval, its entry and its events; whoever asks people is handed it."""

OwnedApproval: TypeAlias = Callable[[View, str, str], Approval]
"""A request by its id, if it is this person's. Raises errors.Problem 404."""
