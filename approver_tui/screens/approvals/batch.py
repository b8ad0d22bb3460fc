"""What the panels for several requests have in common.

Owns: the requests with their checkboxes, removing requests that changed, the typed count. Never:
adds a request; sends, which `results.py` does.
"""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.marking import why_lost
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import Rows, batch_keys
from approver_tui.screens.panel import Overlay, PanelClosed, risk_line
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.batch import Batch
from approver_tui.state.money import sums
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.batch_table import BatchTable
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import Line, lines_word, say
from approver_tui.widgets.notice_lines import NoticeLines
from approver_tui.widgets.panel_button import PanelButton, button_hint
from approver_tui.widgets.sheet import Sheet
from approver_tui.widgets.title_line import TitleLine
from approver_tui.widgets.typed_input import TypedInput

_LONGEST_COUNT = 4
_MOST_NOTICES = 3


class BatchPanel(Overlay):
    """Requests with checkboxes, sums, the count to type, Back, the button."""

    VERB: ClassVar[SafeText]
    """The label of the button."""
    HELP_ROWS: ClassVar[Rows]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("f1,question_mark", "help", show=False),
        Binding("pagedown,down,ctrl+d,j", "read(1)", show=False),
        Binding("pageup,up,ctrl+u,k", "read(-1)", show=False),
    ]

    def __init__(self, context: ScreenContext, state: InboxState) -> None:
        super().__init__(context, state)
        self.requests = Batch.of(state.marks)
        self._sheet = BatchTable(self.requests, context.zone)
        self._count = TypedInput(id="count", longest=_LONGEST_COUNT)
        self._dropped: tuple[SafeText, ...] = ()
        self._is_empty = False
        """Whether all of its requests were answered, have changed or have ended."""
        self.notice = SafeText("")

    # For subclasses to implement.

    def words(self, agent: SafeText) -> SafeText:
        """Return the line above this agent's requests that says what would happen."""
        raise NotImplementedError

    def fields(self) -> ComposeResult:
        """Lay out the fields above the count."""
        return ()

    def more_fields(self) -> ComposeResult:
        """Lay out the fields below the count."""
        return ()

    def why_not(self, approval: Approval) -> SafeText:
        """Return why this request cannot be answered now, or an empty text."""
        raise NotImplementedError

    def missing(self) -> SafeText:
        """Return what is missing before the count, or an empty text."""
        return SafeText("")

    def missing_last(self) -> SafeText:
        """Return what is missing after the count, or an empty text."""
        return SafeText("")

    def give(self) -> None:
        """Continue to the answers; everything was entered."""
        raise NotImplementedError

    # The same for all.

    def compose(self) -> ComposeResult:
        """Lay out title, requests, sums, fields, buttons, hint and keys."""
        with Vertical(classes="panel"):
            yield TitleLine(self._title)
            yield Static(
                self.words(self.requests.rows[0].agent.name),
                id="words",
                markup=False,
            )
            yield self._sheet
            yield Static(id="more", markup=False)
            yield Static(id="sums", markup=False)
            yield from self.fields()
            with Horizontal(id="count-row", classes="entry"):
                yield Static("How many", markup=False)
                yield self._count
            yield from self.more_fields()
            yield NoticeLines(id="notice")
            with Horizontal(id="buttons"):
                yield PanelButton(say("Back"), id="back")
                yield PanelButton(self.VERB, id="do")
            yield Static(id="why-off", markup=False)
            yield KeyBar(batch_keys())

    @property
    def focus_chain(self) -> list[Widget]:
        """Back, the requests, the fields, the button: Tab does not pass Back again."""
        if not self.is_ready:
            return []
        order = (self.query_one("#back"), self._sheet, *self.order(), self.query_one("#do"))
        return [widget for widget in order if widget.focusable]

    def order(self) -> Iterable[Widget]:
        """Return the fields in order."""
        return (self._count,)

    def look_again(self) -> None:
        """Remove requests that changed; close if none is left, else draw."""
        if self.is_ready and not self.is_busy:
            self._drop()
        super().look_again()

    def why_close(self) -> PanelClosed | None:
        """Return what happened to the last request, if none is left."""
        return PanelClosed(self._dropped[-1]) if self._is_empty else None

    def draw_widgets(self) -> None:
        """Update time, checkboxes, sums and hint."""
        reason = self.why_off()
        self.query_one(TitleLine).refresh()
        self._sheet.show(self.requests)
        self._count.disabled = self.is_busy
        self.query_one("#more", Static).update(self._sheet.more)
        self.query_one("#sums", Static).update(self._sums())
        said = (*self._dropped[-_MOST_NOTICES:], *([self.notice] if self.notice else []))
        self.query_one("#notice", NoticeLines).show(said)
        self.query_one("#why-off", Static).update(button_hint(self.VERB, reason))
        self._switch(is_off=bool(reason))

    def why_off(self) -> SafeText:
        """Return why the button is unavailable, or an empty text."""
        if self.is_busy:
            return say("Sending…")
        if not self.requests.chosen:
            return say("nothing is selected; press Space on a request.")
        if reason := next(filter(None, map(self.why_not, self.requests.chosen)), SafeText("")):
            return reason
        return self.missing() or self._wrong_count() or self.missing_last()

    @property
    def unread(self) -> SafeText:
        """Return that there is more to read, or an empty text."""
        count = self._sheet.unread
        if not count:
            return SafeText("")
        return say("scroll down first, {} more {} (PgDn).", count, lines_word(count))

    @on(BatchTable.Turned)
    def _turned(self, message: BatchTable.Turned) -> None:
        if not self.is_busy:
            self.requests = self.requests.turned(message.approval_id)
            self.look_again()

    @on(Sheet.Scrolled)
    @on(Input.Changed)
    def _something_changed(self) -> None:
        self.look_again()

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.action_back()

    @on(Button.Pressed, "#do")
    def _do(self) -> None:
        if not self.context.guard.is_holding and not self.why_off():
            self.give()

    def action_read(self, step: int) -> None:
        """Scroll the requests."""
        self._sheet.action_read(step)

    def action_help(self) -> None:
        """Show the help."""
        self.open_help(self.HELP_ROWS, self.why_off())

    def _drop(self) -> None:
        """Remove requests that changed; the count must then be typed again."""
        lost = [
            each for each in self.requests.rows if self.state.has_lost(each, self.context.now())
        ]
        if not lost or self._is_empty:
            return
        self.context.guard.arm()
        self._dropped += tuple(map(self._dropped_words, lost))
        if len(lost) == len(self.requests.rows):
            self._is_empty = True
            return
        self.requests = self.requests.without(frozenset(each.id for each in lost))
        self._count.value = ""

    def _dropped_words(self, approval: Approval) -> SafeText:
        why = why_lost(approval, self.state, self.moment)
        return say("{} was removed: {}", SafeText(approval.fingerprint), why)

    def _wrong_count(self) -> SafeText:
        if self.requests.is_count(self._count.value):
            return SafeText("")
        return say("type how many are selected.")

    def _title(self, width: int) -> Line:
        verb = say("{} {}?", self.VERB, len(self.requests.chosen))
        return risk_line(
            verb, self.requests.risk, (self.requests.ends_at, self.context.now()), width
        )

    def _sums(self) -> SafeText:
        chosen = self.requests.chosen
        ticked = say("Selected: {} of {}.", len(chosen), len(self.requests.rows))
        parts = [say("  {}: {} in all.", each.label, each.text) for each in sums(chosen)]
        return SafeText(ticked + "".join(parts))

    def _switch(self, *, is_off: bool) -> None:
        button = self.query_one("#do", PanelButton)
        if is_off and button.has_focus:
            self.query_one("#back").focus()
        button.disabled = is_off
