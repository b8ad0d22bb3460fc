"""The form for a new standing grant.

Owns: controls for the duration, the number of uses, the total amount, each member that may vary,
notifications, and approving this request too; the resulting proposal. Never: asking the server;
checking that the server allows the values.
"""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from approver_tui.state import currencies
from approver_tui.state.risks import Risk
from approver_tui.state.standing_grants.standing_grants import StandingGrantProposal, VaryingFact
from approver_tui.state.standing_grants.varying import VaryingMember
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.change_form import Amount, ChangeForm
from approver_tui.widgets.check_line import CheckLine
from approver_tui.widgets.choices import Choices
from approver_tui.widgets.lines import fmt

_DURATIONS = (
    (900, fmt("15 minutes")),
    (3_600, fmt("1 hour")),
    (28_800, fmt("8 hours")),
    (86_400, fmt("1 day")),
    (2_592_000, fmt("30 days")),
)
LABELS = {
    "seconds": fmt("Duration"),
    "uses": fmt("Max uses"),
    "sum": fmt("Total amount"),
    "risk": fmt("Risk"),
    "policy": fmt("Policy"),
}
"""The labels of the fields, by the server's name for each member."""
_LIMITS = {
    Risk.LOW: (5, fmt("e.g. 3")),
    Risk.MEDIUM: (3, fmt("up to 20")),
    Risk.HIGH: (2, fmt("up to 5")),
    Risk.CRITICAL: (0, fmt("not at this risk")),
}
"""How many durations to offer, and the placeholder for the uses, by risk."""


class StandingGrantForm(ChangeForm):
    """The form. Only the last two checkboxes, which notify and approve, may start checked."""

    def __init__(
        self,
        risk: Risk,
        members: Sequence[VaryingMember],
        currency: SafeText,
        *,
        can_approve: bool,
    ) -> None:
        super().__init__(id="grant-form")
        duration_count, uses_placeholder = _LIMITS[risk]
        self._seconds = [seconds for seconds, _ in _DURATIONS[:duration_count]]
        self._duration = Choices([words for _, words in _DURATIONS[:duration_count]], id="duration")
        self._duration.styles.height = duration_count
        self._uses = Amount(LABELS["uses"], SafeText(""), uses_placeholder)
        example = fmt("e.g. {}", SafeText(currencies.example(str(currency))))
        self._sum = Amount(LABELS["sum"], currency, example) if currency else None
        self._members = [(member, _control(member)) for member in members]
        self._notify = CheckLine(fmt("Notify me of each use"), is_on=True)
        self.also = CheckLine(fmt("Approve this request too"), is_on=can_approve)
        self._can_approve = can_approve

    def compose(self) -> ComposeResult:
        """Lay out the controls."""
        yield Static(LABELS["seconds"], markup=False)
        yield self._duration
        yield self._uses
        if self._sum is not None:
            yield self._sum
        if self._members:
            yield Static(fmt("What may vary"), markup=False)
        yield from (control for _, control in self._members)
        yield self._notify
        if self._can_approve:
            yield self.also

    @on(Choices.Picked)
    def _picked(self) -> None:
        self.post_message(self.Changed(is_done=True))

    def proposal(self, approval_id: str) -> StandingGrantProposal:
        """Return the proposal. Raises ValueError that says what is missing."""
        uses = self._uses.typed
        if self._duration.index is None:
            raise ValueError("choose a duration")
        if not (uses.isascii() and uses.isdigit() and int(uses)):
            raise ValueError("enter the max uses")
        varying_facts = (_varying_fact(member, control) for member, control in self._members)
        return StandingGrantProposal(
            approval=approval_id,
            seconds=self._seconds[self._duration.index],
            uses=int(uses),
            sum=None if self._sum is None else self._sum.typed or None,
            vary=tuple(fact for fact in varying_facts if fact is not None),
            notify=self._notify.is_on,
        )


def _control(member: VaryingMember) -> Amount | CheckLine:
    if member.is_limited:
        return Amount(fmt("{} up to", member.label), SafeText(""), fmt("now {}", member.value))
    return CheckLine(fmt("{} can be anything (now {})", member.label, member.value), is_on=False)


def _varying_fact(member: VaryingMember, control: Amount | CheckLine) -> VaryingFact | None:
    if isinstance(control, CheckLine):
        return VaryingFact(member.pointer, None) if control.is_on else None
    return VaryingFact(member.pointer, control.typed) if control.typed else None
