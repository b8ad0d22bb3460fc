"""A panel in which the user composes a proposal and sees a preview of it.

Owns: the current proposal, the server's preview, opening the panel that approves. Never: approves;
keeps a preview of an older proposal.
"""

from functools import partial
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Static

from approver_tui.client import errors
from approver_tui.screens import refusals
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import Rows
from approver_tui.screens.panel import Panel
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.change_form import ChangeForm
from approver_tui.widgets.key_bar import Hint, KeyBar
from approver_tui.widgets.lines import say
from approver_tui.widgets.panel_button import PanelButton, button_hint
from approver_tui.widgets.title_line import TitleLine

_WishT = TypeVar("_WishT")
_AnswerT = TypeVar("_AnswerT")


class _PreviewLoaded(Message, Generic[_WishT, _AnswerT]):
    """The preview of a proposal."""

    def __init__(self, wish: _WishT, answer: _AnswerT) -> None:
        super().__init__()
        self.wish = wish
        self.answer = answer


class PreviewFailed(Message, Generic[_WishT]):
    """The server rejected the proposal or did not answer; `wish` None means any proposal."""

    def __init__(self, wish: _WishT | None, error: errors.ClientError) -> None:
        super().__init__()
        self.wish = wish
        self.error = error


class ChangePanel(Panel, Generic[_WishT, _AnswerT]):
    """Controls, preview, Back, the button that continues."""

    NOTHING_HAPPENED = SafeText("This request changed. Nothing was approved.")
    AUTO_FOCUS = "#back"
    NAME: ClassVar[str]
    """The panel's class in the style sheet."""
    TITLE: ClassVar[SafeText]
    REFUSED: ClassVar[SafeText]
    """What to add to a rejection, if anything."""
    HINTS: ClassVar[tuple[Hint, ...]]
    HELP_ROWS: ClassVar[Rows]

    def __init__(
        self, context: ScreenContext, state: InboxState, approval: Approval, problem: SafeText
    ) -> None:
        super().__init__(context, state, approval)
        self.wish: _WishT | None = None
        self.answer: _AnswerT | None = None
        self.problem = problem

    def controls(self) -> ComposeResult:
        """Lay out the controls and the preview."""
        raise NotImplementedError

    def draw_answer(self) -> None:
        """Draw the preview."""
        raise NotImplementedError

    def read_wish(self) -> _WishT | None:
        """Return the proposal, None for an empty one. Raises ValueError with the problem."""
        raise NotImplementedError

    def ask(self, wish: _WishT) -> _AnswerT:
        """Ask the server for the preview. Runs in a thread; raises ClientError."""
        raise NotImplementedError

    def why_off(self) -> SafeText:
        """Return why the button is unavailable, or an empty text."""
        raise NotImplementedError

    def go_on(self, wish: _WishT, answer: _AnswerT) -> None:
        """Open the panel that approves what was shown."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Lay out title, controls, buttons, hint and keys."""
        with Vertical(classes="panel -tall", id=self.NAME):
            yield TitleLine(partial(self.title_line, self.TITLE))
            yield Static(self.approval.headline, id="headline", markup=False)
            yield from self.controls()
            with Horizontal(id="buttons"):
                yield PanelButton(say("Back"), id="back")
                yield PanelButton(say("Continue.."), id="on")
            yield Static(id="why-off", markup=False)
            yield KeyBar(self.HINTS)

    def draw_widgets(self) -> None:
        """Update time, preview and hint."""
        reason = self.why_off()
        self.query_one(TitleLine).refresh()
        self.draw_answer()
        ready = say("Tab to Continue, then Enter. This does not approve yet.")
        text = button_hint(say("Continue"), reason) if reason else ready
        self.query_one("#why-off", Static).update(text)
        button = self.query_one("#on", PanelButton)
        if reason and button.has_focus:
            self.query_one("#back").focus()
        button.disabled = bool(reason)

    @property
    def is_asking(self) -> bool:
        """Whether the preview is being loaded."""
        return self.wish is not None and self.answer is None and not self.problem

    @on(ChangeForm.Changed)
    def _changed(self, message: ChangeForm.Changed) -> None:
        """Drop the preview of the older proposal."""
        try:
            wish = self.read_wish()
        except ValueError as error:
            self._forget(None, display_safe(f"{error}."))
            return
        if wish != self.wish and not message.is_done:
            self._forget(None, say("press Enter or Tab to apply the value."))
        elif wish is None or wish != self.wish:
            self._forget(wish, SafeText(""))
            if wish is not None:
                self.run_worker(partial(self._ask, wish), thread=True, group="wish")

    @on(_PreviewLoaded)
    def _answered(self, message: _PreviewLoaded[_WishT, _AnswerT]) -> None:
        if message.wish == self.wish:
            self.answer = message.answer
            self.look_again()

    @on(PreviewFailed)
    def _unanswered(self, message: PreviewFailed[_WishT]) -> None:
        self.is_busy = False
        if message.wish is None or message.wish == self.wish:
            problem = refusals.problem(message.error)
            self._forget(self.wish, say("{} {}", problem, self.REFUSED))

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.action_back()

    @on(Button.Pressed, "#on")
    def _on(self) -> None:
        if self.context.guard.is_holding or self.why_off():
            return
        if self.wish is not None and self.answer is not None:
            self.go_on(self.wish, self.answer)

    def action_help(self) -> None:
        """Show the help."""
        self.open_help(self.HELP_ROWS, self.why_off())

    def _forget(self, wish: _WishT | None, problem: SafeText) -> None:
        self.wish, self.answer, self.problem = wish, None, problem
        self.look_again()

    def _ask(self, wish: _WishT) -> None:
        """Runs in a thread."""
        try:
            answer = self.ask(wish)
        except errors.ClientError as error:
            self.post_message(PreviewFailed(wish, error))
        else:
            self.post_message(_PreviewLoaded(wish, answer))
