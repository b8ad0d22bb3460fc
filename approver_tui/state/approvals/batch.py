"""Several requests to answer together; each can be selected.

Owns: the requests, their order (unusual ones first), which are selected, what they share. Never:
adding or answering requests.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText

_UNKNOWN_UNDO = SafeText("Unknown")


def is_unusual(approval: Approval) -> bool:
    """Whether the server found something unusual about the request, or did not compare it."""
    return approval.display.unusual != () or approval.agent.first_request


@dataclass(frozen=True, slots=True)
class Batch:
    """The requests of a batch, at least one; unusual ones first."""

    rows: tuple[Approval, ...]
    selected_ids: frozenset[str] = field(default_factory=frozenset)
    """The IDs of the selected requests."""

    @classmethod
    def from_selection(
        cls, selection: Iterable[Approval], *, with_unusual: bool = False
    ) -> "Batch":
        """Return a batch of the selected requests; `with_unusual` selects the unusual ones too."""
        rows = sorted(selection, key=is_unusual, reverse=True)
        chosen = (row.id for row in rows if with_unusual or not is_unusual(row))
        return cls(tuple(rows), frozenset(chosen))

    @property
    def usual(self) -> tuple[Approval, ...]:
        """The requests with nothing unusual."""
        return tuple(row for row in self.rows if not is_unusual(row))

    @property
    def unusual(self) -> tuple[Approval, ...]:
        """The requests with something unusual."""
        return tuple(row for row in self.rows if is_unusual(row))

    @property
    def selected(self) -> tuple[Approval, ...]:
        """The selected requests, in order."""
        return tuple(row for row in self.rows if row.id in self.selected_ids)

    @property
    def needs_pin(self) -> bool:
        """Whether approving any selected request requires the PIN."""
        return any(approval.needs_pin for approval in self.selected)

    @property
    def risk(self) -> Risk:
        """The highest risk of all requests."""
        return max((row.risk for row in self.rows), key=lambda risk: risk.rank)

    @property
    def ends_at(self) -> int:
        """The earliest expiry of the selected requests, or of all if none is selected."""
        return min(approval.expires_at for approval in self.selected or self.rows)

    @property
    def shared(self) -> dict[str, SafeText]:
        """The members that all requests have in common, by label."""
        first, *others = map(members, self.rows)
        return {
            label: value
            for label, value in first.items()
            if all(other[label] == value for other in others)
        }

    def is_count(self, typed: str) -> bool:
        """Whether the typed text is the number of selected requests, which is not 0."""
        return bool(self.selected) and typed == str(len(self.selected))

    def with_toggled(self, approval_id: str) -> "Batch":
        """Return the batch with one request selected or deselected."""
        return replace(self, selected_ids=self.selected_ids ^ {approval_id})

    def without(self, approval_ids: frozenset[str]) -> "Batch":
        """Return the batch without some requests; at least one must remain."""
        rows = tuple(row for row in self.rows if row.id not in approval_ids)
        return Batch(rows, self.selected_ids - approval_ids)


def rights(approval: Approval) -> SafeText:
    """Return the requested scopes, with the risk of each."""
    scopes = approval.display.scopes
    return SafeText(", ".join(f"{scope.name} ({scope.risk})" for scope in scopes))


def members(approval: Approval) -> dict[str, SafeText]:
    """Return the members that requests of a batch often have in common, by label."""
    display = approval.display
    return {
        "For": display.user_name,
        "Resource": display.resource,
        "Scopes": rights(approval),
        "Risk": display.risk_reason,
        "Undo": display.undo or _UNKNOWN_UNDO,
        "Grants": display.gives,
    }
