"""The form of a new standing grant.

Owns: duration, number of uses, amount, what may vary, whether each use notifies; the resulting
proposal. Never: asking the server; checking whether so much is allowed.
"""

from types import MappingProxyType

from textual.app import ComposeResult

from approver_tui.state.risks import Risk
from approver_tui.state.standing_grants.standing_grants import (
    StandingGrantProposal,
    read_duration,
    read_varying,
)
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.change_form import Amount, ChangeForm
from approver_tui.widgets.check_line import CheckLine
from approver_tui.widgets.lines import fmt

_FORMS = MappingProxyType(
    {
        Risk.LOW: ("15m, 1h, 8h, up to 30d", "max uses, e.g. 3"),
        Risk.MEDIUM: ("15m, 1h, 8h at most", "max uses, up to 20"),
        Risk.HIGH: ("15m, 1h at most", "max uses, up to 5"),
        Risk.CRITICAL: ("not at this risk", "not at this risk"),
    }
)
"""Which durations and numbers of uses the server accepts, by the risk of the example."""


class StandingGrantForm(ChangeForm):
    """Four fields and a checkbox; only the checkbox is filled in at the start."""

    def __init__(self, risk: Risk) -> None:
        super().__init__(id="grant-form")
        duration_hint, uses = _FORMS[risk]
        self._duration = _field("For  ", duration_hint)
        self._uses = _field("Uses ", uses)
        self._sum = _field("Sum  ", "total, e.g. 30; or empty")
        self._vary = _field("Vary ", "amount=20; or empty")
        self._notify = CheckLine(fmt("Notify me of each use"), is_on=True)

    def compose(self) -> ComposeResult:
        """Lay out the fields, one below the other."""
        yield from (self._duration, self._uses, self._sum, self._vary)
        yield self._notify

    def proposal(self, approval_id: str) -> StandingGrantProposal:
        """Return the proposal. Raises ValueError with what is missing."""
        uses = self._uses.typed
        if not self._duration.typed:
            raise ValueError("enter how long")
        seconds = read_duration(self._duration.typed)
        if not (uses.isascii() and uses.isdigit() and int(uses)):
            raise ValueError("enter the max uses as a number")
        return StandingGrantProposal(
            approval=approval_id,
            seconds=seconds,
            uses=int(uses),
            sum=self._sum.typed or None,
            vary=tuple(map(read_varying, self._vary.typed.split())),
            notify=self._notify.is_on,
        )


def _field(label: str, form: str) -> Amount:
    return Amount(SafeText(label), SafeText(""), SafeText(form))
