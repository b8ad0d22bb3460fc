"""The panel in which a person says yes.

Owns: when Approve can be pressed, what was typed on its way, what each refusal means here.
Never: one key alone approves; nothing pasted, and nothing typed before the panel was quiet, counts.
"""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from approver_tui.client import errors
from approver_tui.screens import refusals, thread_messages
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.reasons import why_no_yes
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import approve_help, approve_keys
from approver_tui.screens.panel import Approved, OutcomeUnknown, Panel, PanelClosed
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import Entries, Step
from approver_tui.state.money import amount
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.ceremony_fields import CeremonyFields
from approver_tui.widgets.approvals.panel_facts import PanelFacts
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import lines_word, say
from approver_tui.widgets.notice_lines import NoticeLines
from approver_tui.widgets.panel_button import PanelButton
from approver_tui.widgets.title_line import TitleLine

_LONGEST_AMOUNT = 15
"""Beside Back in 40 columns a longer one would be cut; it stands among the facts."""
_FEW_FIELDS = 2
"""Up to so many fields leave room for tall facts."""
ARMING = {Risk.LOW: 0.0, Risk.MEDIUM: 0.0, Risk.HIGH: 2.0, Risk.CRITICAL: 3.0}
"""How long, in seconds, all facts must have been on screen, beyond the guard's quiet time."""


class ApprovePanel(Panel):
    """Facts, what is to be typed, Back, Approve."""

    NOTHING_HAPPENED = SafeText("This request changed. Nothing was approved.")
    AUTO_FOCUS = "#back"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("f1,question_mark", "help", show=False),
        Binding("pagedown,down,ctrl+d,j", "read(1)", show=False),
        Binding("pageup,up,ctrl+u,k", "read(-1)", show=False),
    ]

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state, approval)
        needs_pin = approval.needs_pin or not context.answers.is_unlocked
        self._facts = PanelFacts(approval, context.zone)
        self._fields = CeremonyFields(approval, needs_pin=needs_pin)
        self.set_class(approval.display.type_back is not None, "-typing")
        self.set_class(len(approval.steps) > _FEW_FIELDS, "-many")
        self._all_seen_since: float | None = None
        self._notice = SafeText("")
        self._verb = say("Approve")
        if 0 < len(of := amount(approval)) <= _LONGEST_AMOUNT:
            self._verb = say("Approve {}", of)

    def compose(self) -> ComposeResult:
        """Lay out title, facts, fields, buttons, reasons and keys."""
        with Vertical(classes="panel"):
            yield TitleLine(partial(self.title_line, say("APPROVE?")))
            yield self._facts
            yield Static(id="more", markup=False)
            yield self._fields
            yield NoticeLines(id="notice")
            with Horizontal(id="buttons"):
                yield PanelButton(say("Back"), id="back")
                yield PanelButton(self._verb, id="approve")
            yield Static(id="why-off", markup=False)
            yield KeyBar(approve_keys())

    @property
    def focus_chain(self) -> list[Widget]:
        """Back, the fields, Approve: the way there never passes Back again."""
        if not self.is_ready:
            return []
        order = (
            self.query_one("#back"),
            *self._fields.focusable_fields,
            self.query_one("#approve"),
        )
        return [widget for widget in order if widget.focusable]

    def draw_widgets(self) -> None:
        """Bring time, fields and the reason up to date."""
        self._note_what_was_seen()
        reason = self.why_off()
        self.query_one(TitleLine).refresh()
        self._fields.show(is_busy=self.is_busy)
        self.query_one("#more", Static).update(self._facts.more)
        self.query_one("#notice", NoticeLines).show((self._notice,) if self._notice else ())
        off = say("Approve is off: {}", reason) if reason else say("Tab to Approve, then Enter.")
        self.query_one("#why-off", Static).update(off)
        self._switch(is_off=bool(reason))

    def why_off(self) -> SafeText:
        """Return why Approve cannot be pressed, or nothing."""
        if self.is_busy:
            return say("waiting for the server's answer.")
        if reason := why_no_yes(self.state, self.approval, self.moment):
            return reason
        if self._all_seen_since is None:
            below = self._facts.rows_below
            return say("read on first, {} more {} (PgDn).", below, lines_word(below))
        if missing := self._fields.missing:
            return missing
        if self.context.ticks() - self._all_seen_since < ARMING[self.approval.risk]:
            return say("a moment to read.")
        return SafeText("")

    @on(PanelFacts.Scrolled)
    @on(Input.Changed)
    def _something_changed(self) -> None:
        self.look_again()

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.action_back()

    @on(Button.Pressed, "#approve")
    def _approve(self) -> None:
        if self.context.guard.is_holding or self.why_off():
            return
        pin, entries = self._fields.take_pin(), self._fields.entries()
        self.is_busy, self._notice = True, SafeText("")
        self.look_again()
        self.run_worker(partial(self._send, pin, entries), thread=True, group="approve")

    def action_read(self, step: int) -> None:
        """Scroll the facts."""
        self._facts.read_on(step)

    def action_help(self) -> None:
        """Show the help."""
        self.open_help(approve_help(), self.why_off())

    @on(thread_messages.AnswerAccepted)
    def _answered(self, message: thread_messages.AnswerAccepted) -> None:
        self.finish(Approved(message.approval))

    @on(thread_messages.AnswerRefused)
    def _refused(self, message: thread_messages.AnswerRefused) -> None:
        self.is_busy = False
        result = self._result_of(message.error)
        if result is not None:
            self.finish(result)
            return
        self._fields.needs_pin |= isinstance(message.error, errors.PinNeeded)
        self._notice = refusals.answer_problem(message.error, done=say("Nothing was approved."))
        self.look_again()
        self._go_on(message.error)

    def _go_on(self, error: errors.ClientError) -> None:
        """Put the focus where the person goes on."""
        if isinstance(error, errors.WrongEntry) and error.step is not None:
            self._fields.retype(error.step)
        elif self._fields.needs_pin:
            self._fields.retype(Step.PIN)
        else:
            self.query_one("#back").focus()

    def _send(self, pin: str | None, entries: Entries) -> None:
        """Runs in a thread. For low and medium risk the PIN unlocks the app for a while."""
        answers, approval = self.context.answers, self.approval
        try:
            if pin is not None and not approval.needs_pin:
                answers.unlock(pin)
                pin = None
            outcome = answers.approve(
                approval, fingerprint=approval.fingerprint, pin=pin, entries=entries
            )
        except errors.ClientError as error:
            self.post_message(thread_messages.AnswerRefused(approval.id, error))
        else:
            self.post_message(thread_messages.AnswerAccepted(outcome))

    def _result_of(self, error: errors.ClientError) -> PanelClosed | OutcomeUnknown | None:
        """Return how the panel ends on this error; None if the person may try again in it."""
        match error:
            case errors.Changed():
                return PanelClosed(self.NOTHING_HAPPENED)
            case errors.AlreadyDecided(approval=winner):
                return PanelClosed(refusals.already_decided(winner, self.moment), winner)
            case errors.UnknownOutcome() | errors.WireError():
                return OutcomeUnknown(self.approval)
            case errors.DeviceLocked() | errors.RequestLocked() | errors.LoginFirst():
                return PanelClosed(
                    refusals.answer_problem(error, done=say("Nothing was approved."))
                )
            case _:
                return None

    def _note_what_was_seen(self) -> None:
        if self._all_seen_since is None and self._facts.were_all_seen:
            self._all_seen_since = self.context.ticks()

    def _switch(self, *, is_off: bool) -> None:
        button = self.query_one("#approve", PanelButton)
        if is_off and button.has_focus:
            self.query_one("#back").focus()
        button.disabled = is_off
