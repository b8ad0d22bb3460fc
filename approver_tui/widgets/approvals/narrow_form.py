"""The form with which the user narrows a request.

Owns: controls for each scope, fact and list item and for the token lifetime; the resulting
proposal. Never: asking the server; checking that the proposal is really smaller.
"""

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from approver_tui.state.approvals.narrowing import (
    SECONDS,
    Narrowable,
    NarrowableFact,
    NarrowedFact,
    Narrowing,
    NarrowingRule,
)
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.change_form import Amount, ChangeForm
from approver_tui.widgets.check_line import CheckLine
from approver_tui.widgets.lines import fmt

_PLACEHOLDERS = {
    NarrowingRule.LOWER: SafeText("lower value"),
    NarrowingRule.EARLIER: SafeText("earlier, e.g. 2026-11-25T14:30:00Z"),
}


class _FactControls:
    """The controls for a fact."""

    def __init__(self, fact: NarrowableFact) -> None:
        self._fact = fact
        self.checkboxes: tuple[CheckLine, ...] = ()
        self.amount: Amount | None = None
        if fact.rule is NarrowingRule.DROP:
            self.checkboxes = tuple(CheckLine(item, is_on=True) for item in fact.items)
        elif fact.rule is NarrowingRule.TURN_ON:
            self.checkboxes = (CheckLine(fact.label, is_on=False),)
        else:
            self.amount = Amount(fact.label, fact.asked, _PLACEHOLDERS[fact.rule])

    def widgets(self) -> Iterator[Widget]:
        if self._fact.rule is NarrowingRule.DROP:
            yield Static(fmt("{}", self._fact.label), markup=False)
        yield from self.checkboxes
        if self.amount is not None:
            yield self.amount

    @property
    def change(self) -> NarrowedFact | None:
        """The narrowed fact; None if the controls leave it unchanged."""
        new_value = self._typed_value
        if new_value is None:
            return None
        return NarrowedFact(self._fact.place, self._fact.pointer, new_value)

    @property
    def _typed_value(self) -> str | None:
        if self.amount is not None:
            return self.amount.typed or None
        if self._fact.rule is NarrowingRule.TURN_ON:
            return "yes" if self.checkboxes[0].is_on else None
        kept_items = [
            str(number + 1) for number, checkbox in enumerate(self.checkboxes) if checkbox.is_on
        ]
        return None if len(kept_items) == len(self.checkboxes) else ",".join(kept_items) or "none"


class NarrowForm(ChangeForm):
    """The form with all controls for a request."""

    def __init__(self, narrowable: Narrowable) -> None:
        super().__init__()
        self._scopes = {
            name: CheckLine(display_safe(name, max_len=200), is_on=True)
            for name in narrowable.scopes
        }
        self.labels = {f"/{fact.place}{fact.pointer}": fact.label for fact in narrowable.facts}
        """The labels of the controls, by the server's name for each member."""
        self.labels |= {SECONDS: fmt("Token lifetime"), "scope": fmt("Scopes")}
        self._facts = [_FactControls(fact) for fact in narrowable.facts]
        lifetime_text = fmt("{} seconds", narrowable.token_seconds)
        placeholder = _PLACEHOLDERS[NarrowingRule.LOWER]
        self._lifetime = Amount(self.labels[SECONDS], lifetime_text, placeholder)

    def compose(self) -> ComposeResult:
        """Lay out the facts, the scopes and the token lifetime."""
        for fact in self._facts:
            yield from fact.widgets()
        if self._scopes:
            yield Static(fmt("Scopes"), markup=False)
        yield from self._scopes.values()
        yield self._lifetime

    @property
    def proposal(self) -> Narrowing:
        """The proposal. Raises ValueError if the token lifetime is not a whole number."""
        changes = (fact.change for fact in self._facts)
        seconds = self._lifetime.typed
        if seconds and not (seconds.isascii() and seconds.isdigit()):
            raise ValueError("use a whole number of seconds")
        return Narrowing(
            changes=tuple(change for change in changes if change is not None),
            drop_scopes=tuple(
                name for name, checkbox in self._scopes.items() if not checkbox.is_on
            ),
            token_seconds=int(seconds) if seconds else None,
        )
