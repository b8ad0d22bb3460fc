"""The panel in which the user denies.

Owns: when Deny is available. Never: sending the denial, which waits five seconds on the screen
below.
"""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from approver_tui.screens.approvals.blockers import answer_blocker
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import DENY_HELP, DENY_KEYS
from approver_tui.screens.panel import BatchSubmitted, DenialSubmitted, Deny, Overlay, Panel
from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.approvals.decision import DenyCode
from approver_tui.state.text import SafeText, pluralize
from approver_tui.widgets.approvals.denial_form import NOT_PICKED, DenialForm, DenyCodes
from approver_tui.widgets.check_line import CheckLine
from approver_tui.widgets.choices import Choices
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.title_line import TitleLine


class DenyingPanel(Overlay):
    """A panel with a denial form. Enter on the list of reasons denies."""

    AUTO_FOCUS = "DenyCodes"
    BUTTON = "deny"
    HINTS: ClassVar[tuple[Hint, ...]] = DENY_KEYS
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "deny", show=False)]
    verb = SafeText("Deny")
    form: DenialForm

    @property
    def missing_reason(self) -> SafeText:
        """The hint to choose a reason; empty once one is chosen."""
        return NOT_PICKED if self.form.code is None else SafeText("")

    @property
    def denial(self) -> Deny | None:
        """The denial in the form; None if no reason is chosen."""
        if (code := self.form.code) is None:
            return None
        return Deny(code, self.form.note, self.form.extras(self.context.now(), self.context.zone))

    @on(Choices.Picked)
    def _reason_chosen(self) -> None:
        self.update_panel()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let Enter deny only on the list of reasons; fields and buttons have their own Enter."""
        is_available = action != "deny" or isinstance(self.focused, DenyCodes)
        return is_available and super().check_action(action, parameters)

    def action_deny(self) -> None:
        """Deny with the chosen reason; do nothing while Deny is unavailable."""
        if not self.context.guard.is_blocking and not self.blocker():
            self.submit()

    def enter_label(self) -> SafeText:
        """Return what Enter does on the focused widget."""
        if isinstance(self.focused, DenyCodes):
            return SafeText("") if self.blocker() else self.verb
        return super().enter_label()


class DenyPanel(DenyingPanel, Panel):
    """The panel with the headline, the denial form, and the Back and Deny buttons."""

    TITLE = SafeText("Deny?")
    CHANGED_TEXT = SafeText("This request changed. Nothing was denied.")
    HELP_ROWS = DENY_HELP

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state, approval)
        self.form = DenialForm(approval.kind, context.environment.editor)
        self._others = _other_requests(state, approval, context.now())
        self._all_box = CheckLine(_others_text(approval, len(self._others)), is_on=False, id="all")

    def content(self) -> ComposeResult:
        """Lay out the title, the reasons and the note."""
        yield from self.heading()
        yield self.form
        if self._others:
            yield self._all_box

    def draw_widgets(self) -> None:
        """Update the time and the hint."""
        reason = self.blocker()
        self.query_one(TitleLine).refresh()
        self.form.show()
        self.draw_button(reason, None if reason else self._ready_text)

    @property
    def _ready_text(self) -> SafeText:
        """How to deny from the focused widget, and what else the user can do."""
        is_on_deny = isinstance(self.focused, DenyCodes) or self.focused is self.query_one("#deny")
        how = fmt("Enter denies.") if is_on_deny else fmt("Tab to Deny, then Enter.")
        if self.form.code is DenyCode.SUSPICIOUS and self.approval.kind is Kind.ACTION:
            report = self.context.keys.key("report")
            return fmt("{} To quarantine its agent too, report it: Esc, then {}", how, report)
        return fmt("{} You then have 5 s to undo it ({}).", how, self.context.keys.key("undo"))

    def blocker(self) -> SafeText:
        """Return why Deny is unavailable; empty if it is available."""
        if reason := answer_blocker(self.state, self.approval, self.context):
            return reason
        return self.missing_reason

    def submit(self) -> None:
        """Hand the denial to the screen below, which sends it after five seconds."""
        if (denial := self.denial) is None:
            return
        if self._all_box.is_on:
            self.dismiss(BatchSubmitted((self.approval, *self._others), denial))
        else:
            self.dismiss(DenialSubmitted(self.approval, denial))


def _other_requests(state: InboxState, approval: Approval, now: int) -> tuple[Approval, ...]:
    """Return the agent's other requests that can be denied, each with its own answer."""
    if approval.kind is not Kind.ACTION:
        return ()
    return tuple(
        other
        for other in state.inbox.waiting(now)
        if other.agent.id == approval.agent.id and other.kind is Kind.ACTION
        if other.id != approval.id
        and other.id not in state.in_progress
        and not state.has_approved(other)
    )


def _others_text(approval: Approval, count: int) -> SafeText:
    other_requests = pluralize(count, "other request")
    return fmt("Also deny {} from {}, as they are now", other_requests, approval.agent.name)
