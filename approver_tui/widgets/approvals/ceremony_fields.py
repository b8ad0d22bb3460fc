"""The fields for the approval steps: match number, type-back, reason, PIN.

Owns: which fields there are, their order, which entry is missing. Never: sending anything; showing
the expected values.
"""

from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import REASON_LENGTH, Entries, Step
from approver_tui.state.approvals.type_back import is_plausible
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.typed_input import TypedInput

MIN_PIN_LENGTH = 6
_MAX_LABEL_WIDTH = 20
"""The maximum width in cells; a longer label wraps, to leave room at 40 columns."""


class CeremonyFields(Vertical):
    """A row for each required step; the row for the PIN may appear later."""

    ORDER: ClassVar = (Step.MATCH, Step.TYPE_BACK, Step.REASON, Step.PIN)

    def __init__(self, approval: Approval, *, needs_pin: bool) -> None:
        super().__init__()
        self._approval = approval
        self.needs_pin = needs_pin
        """Whether the PIN is required, by the request or because the app is locked."""

    def compose(self) -> ComposeResult:
        """Lay out all rows; hide those that are not required."""
        for step in self.ORDER:
            with Horizontal(id=f"{step}-row", classes="entry") as row:
                row.display = step in self._steps
                yield (label := Static(self._label(step), markup=False))
                label.styles.width = self._label_width
                max_length = REASON_LENGTH if step is Step.REASON else 128
                yield TypedInput(id=str(step), is_hidden=step is Step.PIN, max_length=max_length)

    def show(self, *, is_busy: bool) -> None:
        """Update the rows."""
        for step in self.ORDER:
            is_required = step in self._steps
            row = self.query_one(f"#{step}-row")
            row.display = is_required
            row.query_one(Static).styles.width = self._label_width
            self._field(step).disabled = is_busy or not is_required

    @property
    def missing_entry(self) -> SafeText:
        """The hint for the next entry to type; empty if none is missing."""
        for step in self.ORDER:
            if step in self._steps and not self._is_plausible(step, self._field(step).value):
                return fmt("type {}.", self._approval.requirement(step))
        return SafeText("")

    def take_pin(self) -> str | None:
        """Return the PIN and clear it; None if it is not required."""
        return self._field(Step.PIN).take() if self.needs_pin else None

    def entries(self) -> Entries:
        """Return the entries of all required fields except the PIN."""
        return Entries(
            fact=self._typed(Step.TYPE_BACK),
            match=self._typed(Step.MATCH),
            reason=self._typed(Step.REASON),
        )

    def retype(self, step: Step) -> None:
        """Clear the field of a step and focus it."""
        field = self._field(step)
        field.value = ""
        field.focus()

    @property
    def _label_width(self) -> int:
        """The width of the label column: the widest label up to the maximum, plus a gap."""
        widest = max((cell_len(self._label(step)) for step in self._steps), default=0)
        return min(widest, _MAX_LABEL_WIDTH) + 2

    @property
    def _steps(self) -> frozenset[Step]:
        steps = self._approval.steps
        return steps | {Step.PIN} if self.needs_pin else steps

    def _field(self, step: Step) -> TypedInput:
        return self.query_one(f"#{step}", TypedInput)

    def _typed(self, step: Step) -> str | None:
        return self._field(step).value if step in self._approval.steps else None

    def _is_plausible(self, step: Step, typed: str) -> bool:
        if step is Step.PIN:
            return len(typed) >= MIN_PIN_LENGTH
        return is_plausible(self._approval, step, typed)

    def _label(self, step: Step) -> SafeText:
        type_back = self._approval.display.type_back
        if step is Step.TYPE_BACK and type_back is not None:
            return type_back.prompt
        return _LABELS[step]


_LABELS = {
    Step.MATCH: SafeText("Match number"),
    Step.PIN: SafeText("PIN"),
    Step.REASON: SafeText("Reason"),
    Step.TYPE_BACK: SafeText("Type-back"),
}
