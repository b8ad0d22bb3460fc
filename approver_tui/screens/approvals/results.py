"""The panel that sends several answers one by one and shows the result of each.

Owns: the five seconds before denials, the thread that sends, the list. Never: guesses; unknown
outcomes are checked with the server, also after this panel has closed.
"""

from typing import ClassVar, Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from approver_tui.screens import thread_messages
from approver_tui.screens.approvals.denials import TIME_TO_THINK
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.sending import SendResult, send
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import as_chosen, results_help, results_keys
from approver_tui.screens.panel import BatchSubmitted, Deny, Overlay, PanelClosed
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.results import Fate, Results, fate_of
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome
from approver_tui.widgets.approvals.result_sheet import ResultSheet, summary
from approver_tui.widgets.approvals.rows import AnswerProgress
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import Line, line, say
from approver_tui.widgets.panel_button import PanelButton
from approver_tui.widgets.title_line import TitleLine

_TITLES = {Answer.APPROVE: SafeText("Approving"), Answer.DENY: SafeText("Denying")}
_STILL_WAITS = SafeText("Your answer was not recorded. The request is still waiting.")


class ResultListener(Protocol):
    """Keeps the inbox up to date with what happens here."""

    def begun(self, approvals: tuple[Approval, ...]) -> None:
        """These are being answered, so they are deselected."""

    def took(self, approval: Approval) -> None:
        """The server returned its copy of one."""

    def doubted(self, approval_id: str, answer: Answer) -> None:
        """The outcome of an answer is unknown: check until it is known."""

    def kept_back(self, approvals: tuple[Approval, ...]) -> None:
        """These are not denied after all."""

    def finished(self) -> None:
        """Nothing more will be sent."""


class _Begun(thread_messages.ValueMessage[str]):
    """The answer to a request is being sent."""


class _Settled(thread_messages.ValueMessage[SendResult]):
    """The call ended, with or without the server's answer."""


class ResultsPanel(Overlay):
    """The list, a summary, Close."""

    AUTO_FOCUS = "ResultSheet"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("f1,question_mark", "help", show=False),
        Binding("u", "take_back", id="take_back", show=False),
    ]

    def __init__(
        self,
        context: ScreenContext,
        state: InboxState,
        given: BatchSubmitted,
        clerk: ResultListener,
    ) -> None:
        super().__init__(context, state)
        self._given = given
        self._clerk = clerk
        answer = Answer.DENY if isinstance(given.answer, Deny) else Answer.APPROVE
        self.results = Results.of(answer, given.approvals)
        self._leaves_at: float | None = context.ticks()
        """When the first answer is sent, on the monotonic clock; None once it was."""
        if answer is Answer.DENY:
            self._leaves_at += TIME_TO_THINK
        self.is_busy = True

    def compose(self) -> ComposeResult:
        """Lay out title, list, summary and keys."""
        with Vertical(classes="panel"):
            yield TitleLine(self._title)
            yield ResultSheet(self.results)
            with Horizontal(id="buttons"):
                yield PanelButton(say("Close"), id="back")
            yield Static(id="why-off", markup=False)
            yield KeyBar()

    def look_again(self) -> None:
        """Send what is due, update unknown outcomes, and draw."""
        if self.is_ready:
            self._send_if_due()
            self._settle()
        super().look_again()

    def why_close(self) -> PanelClosed | None:
        """It never closes by itself."""
        return None

    def draw_widgets(self) -> None:
        """Update title, list and summary."""
        self.query_one(TitleLine).refresh()
        self.query_one(ResultSheet).show(self.results)
        self.query_one("#why-off", Static).update(self._words())
        self.query_one("#back", PanelButton).disabled = self.is_busy
        keys = results_keys(can_take_back=self._can_take_back)
        self.query_one(KeyBar).show(as_chosen(keys, self.context.keys))

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.action_back()

    def action_back(self) -> None:
        """Close, once nothing more is sent."""
        if not self.is_busy:
            self.finish(PanelClosed(self._words()))

    def action_take_back(self) -> None:
        """Undo all denials before the first is sent."""
        if self._can_take_back:
            self._leaves_at = None
            self.is_busy = False
            self._clerk.kept_back(self._given.approvals)
            self.finish(PanelClosed(say("Undone: nothing was denied.")))

    def action_help(self) -> None:
        """Show the help."""
        self.open_help(results_help(), SafeText(""))

    @on(_Begun)
    def _begun(self, message: _Begun) -> None:
        self.results = self.results.told(message.value, Fate.SENDING)
        self.look_again()

    @on(_Settled)
    def _settled(self, message: _Settled) -> None:
        sent = message.value
        self.results = self.results.told(sent.approval.id, sent.fate, sent.why, sent.approval)
        if sent.ends_all:
            self.results = self.results.stopped(say("Not sent. The request is still waiting."))
        self.is_busy = not self.results.is_settled
        if sent.fate is Fate.UNKNOWN:
            self._clerk.doubted(sent.approval.id, self.results.answer)
        else:
            self._clerk.took(sent.approval)
        self.look_again()
        if not self.is_busy:
            self._clerk.finished()

    def _send_if_due(self) -> None:
        if self._leaves_at is not None and self.context.ticks() >= self._leaves_at:
            self._leaves_at = None
            self._clerk.begun(self._given.approvals)
            self.run_worker(self._send_all, thread=True, group="batch")

    def _send_all(self) -> None:
        """Runs in a thread: sends one after the other, each with its own signature."""
        for approval in self._given.approvals:
            self.post_message(_Begun(approval.id))
            sent = send(self.context.answers, approval, self._given.answer, self.moment)
            self.post_message(_Settled(sent))
            if sent.ends_all:
                return

    def _settle(self) -> None:
        """Resolve unknown outcomes from the server's copies, as soon as they were fetched."""
        for approval_id in self.results.in_doubt:
            copy = self.state.inbox.find(approval_id)
            if (
                self.state.doing.get(approval_id) is not AnswerProgress.CHECKING
                and copy is not None
            ):
                self.results = self._settled_by(copy)

    def _settled_by(self, copy: Approval) -> Results:
        device, moment = self.state.device, self.moment
        mine = None if device is None else device.id
        is_counted = self.state.has_yes(copy)
        fate = fate_of(copy, self.results.answer, mine, moment.now, is_counted=is_counted)
        why = _STILL_WAITS if fate is Fate.NOT_RECORDED else outcome(copy, moment.now, moment.zone)
        is_ours = fate in {Fate.APPROVED, Fate.DENIED}
        return self.results.told(copy.id, fate, SafeText("") if is_ours else why, copy)

    def _title(self, width: int) -> Line:
        del width
        verb = _TITLES[self.results.answer] if self.is_busy else say("Answered")
        return line(say("{} {}", verb, len(self.results.items)))

    @property
    def _can_take_back(self) -> bool:
        return self._leaves_at is not None and self.results.answer is Answer.DENY

    def _words(self) -> SafeText:
        if self._can_take_back and self._leaves_at is not None:
            left = max(0, -int(-(self._leaves_at - self.context.ticks()) // 1))
            key = self.context.keys.key("take_back")
            return say("Denying in {} s; {} undoes all of it.", left, key)
        words = SafeText(summary(self.results).capitalize())
        return say("{}.", words)
