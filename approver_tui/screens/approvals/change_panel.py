"""A panel in which a person wishes for something else than was asked, and sees what that would be.

Owns: the wish as it is written now, what the server says to it, the way on to the panel that
approves. Never: approves; lets an answer stand that was given to another wish.
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
from approver_tui.widgets.panel_button import PanelButton
from approver_tui.widgets.title_line import TitleLine

_WishT = TypeVar("_WishT")
_AnswerT = TypeVar("_AnswerT")


class _PreviewLoaded(Message, Generic[_WishT, _AnswerT]):
    """What would come of a wish."""

    def __init__(self, wish: _WishT, answer: _AnswerT) -> None:
        super().__init__()
        self.wish = wish
        self.answer = answer


class PreviewFailed(Message, Generic[_WishT]):
    """The server gives no such thing, or cannot be asked; `wish` is None for any of them."""

    def __init__(self, wish: _WishT | None, error: errors.ClientError) -> None:
        super().__init__()
        self.wish = wish
        self.error = error


class ChangePanel(Panel, Generic[_WishT, _AnswerT]):
    """Controls, what the wish would give, Back, the way on."""

    NOTHING_HAPPENED = SafeText("This request changed. Nothing was approved.")
    AUTO_FOCUS = "#back"
    NAME: ClassVar[str]
    """What the style sheet calls it."""
    TITLE: ClassVar[SafeText]
    WAY_ON: ClassVar[SafeText]
    """What the button does that leads on."""
    REFUSED: ClassVar[SafeText]
    """What to add to a refusal, if anything."""
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
        """Lay out the fields and what the wish would give."""
        raise NotImplementedError

    def draw_answer(self) -> None:
        """Show what the wish would give."""
        raise NotImplementedError

    def read_wish(self) -> _WishT | None:
        """Return what the controls say, None for nothing. Raises ValueError with what is wrong."""
        raise NotImplementedError

    def ask(self, wish: _WishT) -> _AnswerT:
        """Ask the server what a wish would give. Runs in a thread; raises ClientError."""
        raise NotImplementedError

    def why_off(self) -> SafeText:
        """Return why the way on is closed, or nothing."""
        raise NotImplementedError

    def go_on(self, wish: _WishT, answer: _AnswerT) -> None:
        """Lead on to the panel that approves what was shown."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Lay out title, controls, buttons, reasons and keys."""
        with Vertical(classes="panel -tall", id=self.NAME):
            yield TitleLine(partial(self.title_line, self.TITLE))
            yield Static(self.approval.headline, id="headline", markup=False)
            yield from self.controls()
            with Horizontal(id="buttons"):
                yield PanelButton(say("Back"), id="back")
                yield PanelButton(say("{}..", self.WAY_ON), id="on")
            yield Static(id="why-off", markup=False)
            yield KeyBar(self.HINTS)

    def draw_widgets(self) -> None:
        """Bring time, what it would be and the reason up to date."""
        reason = self.why_off()
        self.query_one(TitleLine).refresh()
        self.draw_answer()
        ready = say("Tab to {}, then Enter. Nothing is approved yet.", self.WAY_ON)
        text = say("{} is off: {}", self.WAY_ON, reason) if reason else ready
        self.query_one("#why-off", Static).update(text)
        button = self.query_one("#on", PanelButton)
        if reason and button.has_focus:
            self.query_one("#back").focus()
        button.disabled = bool(reason)

    @property
    def is_asking(self) -> bool:
        """Whether the server has not said yet what the wish would give."""
        return self.wish is not None and self.answer is None and not self.problem

    @on(ChangeForm.Changed)
    def _changed(self, message: ChangeForm.Changed) -> None:
        """What stood there was the answer to another wish."""
        try:
            wish = self.read_wish()
        except ValueError as error:
            self._forget(None, display_safe(f"{error}."))
            return
        if wish != self.wish and not message.is_done:
            self._forget(None, say("finish the value with Enter or Tab."))
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
