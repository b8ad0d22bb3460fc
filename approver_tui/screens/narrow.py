"""The panel in which a person makes a request less before they agree to it.

Owns: asking what may be less, showing what would be granted. Never: approves; widens; takes a text
that is not exactly the wish.
"""

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from approver_tui.client import errors
from approver_tui.screens import reports
from approver_tui.screens.desk import Desk
from approver_tui.screens.keys import narrow_help, narrow_keys
from approver_tui.screens.panel import LessWanted
from approver_tui.screens.reasons import why_no_yes
from approver_tui.screens.table import Table
from approver_tui.screens.wish_panel import Unanswered, WishPanel
from approver_tui.state.approvals import Approval
from approver_tui.state.leeway import Leeway
from approver_tui.state.narrowing import Granted, Wish
from approver_tui.state.text import SafeText
from approver_tui.widgets.less_form import LessForm
from approver_tui.widgets.less_sheet import LessSheet
from approver_tui.widgets.lines import say


class _Known(reports.Told[Leeway]):
    """What may be less."""


class NarrowPanel(WishPanel[Wish, Granted]):
    """Controls, the two columns, Back, Approve less."""

    NAME = "narrow"
    TITLE = SafeText("APPROVE LESS?")
    WAY_ON = SafeText("Approve less")
    REFUSED = SafeText("")
    HINTS = narrow_keys()
    HELP_ROWS = narrow_help()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("f1,question_mark", "help", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, desk: Desk, table: Table, approval: Approval) -> None:
        super().__init__(desk, table, approval, SafeText(""))
        self._form: LessForm | None = None

    def controls(self) -> ComposeResult:
        """Lay out room for the controls, and the comparison."""
        yield Vertical(id="form")
        yield LessSheet()

    def on_mount(self) -> None:
        """Ask what may be less."""
        super().on_mount()
        self.run_worker(self._learn, thread=True, group="leeway")

    def draw_answer(self) -> None:
        """Show what would be granted."""
        self.query_one(LessSheet).show(self.answer, self._words())

    def why_off(self) -> SafeText:
        """Return why the way on is closed, or nothing."""
        if reason := why_no_yes(self.table, self.approval, self.moment) or self.problem:
            return reason
        if self._form is None:
            return say("asking the server what may be less.")
        if self.is_asking:
            return say("asking the server how it would read.")
        return say("nothing is less yet.") if self.answer is None else SafeText("")

    def read_wish(self) -> Wish | None:
        """Return what the controls say. Raises ValueError with what is wrong."""
        assert self._form is not None  # noqa: S101  # it said that it changed
        return self._form.wish or None

    def ask(self, wish: Wish) -> Granted:
        """Ask how it would read. Runs in a thread."""
        return self.desk.answers.narrow(self.approval, wish)

    def go_on(self, wish: Wish, answer: Granted) -> None:
        """Let the person approve the part that was shown."""
        del wish
        self.dismiss(LessWanted(replace(self.approval, granted=answer)))

    @on(_Known)
    def _known(self, message: _Known) -> None:
        if self.is_whole and self._form is None:
            self._form = LessForm(message.value)
            self.query_one("#form").mount(self._form)
            self.look_again()

    def _words(self) -> SafeText:
        if self._form is None:
            return say("")
        return say(
            "Untick a right or an item, or write a smaller value: what is left is shown here."
        )

    def _learn(self) -> None:
        """Runs in a thread."""
        try:
            leeway = self.desk.server.leeway(self.approval.id)
        except errors.ClientError as error:
            self.post_message(Unanswered(None, error))
        else:
            self.post_message(_Known(leeway))
