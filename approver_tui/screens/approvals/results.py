"""The panel that sends several answers one by one and shows the result of each.

Owns: the five seconds before denials are sent, the thread that sends, the list of results. Never:
guessing an outcome; unknown outcomes are checked with the server, even after the panel closes.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from approver_tui.client import errors
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.screens import refusals
from approver_tui.screens.approvals.denials import UNDO_SECONDS, seconds_left
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import RESULTS_HELP, bindings, results_keys, with_keymap
from approver_tui.screens.panel import Approve, BatchSubmitted, Deny, Overlay, PanelClosed
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.results import (
    AnswerState,
    Result,
    Results,
    answer_state,
    ended_state,
)
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome
from approver_tui.widgets.approvals.rows import AnswerProgress
from approver_tui.widgets.entry_sheet import EntrySheet
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import Line, Piece, Role, fmt, line, wrap_text
from approver_tui.widgets.notice_lines import CachedLine
from approver_tui.widgets.panel_button import PanelButton
from approver_tui.widgets.title_line import TitleLine

if TYPE_CHECKING:
    from approver_tui.screens.approvals.answer_flow import AnswerFlow


_INDENT = 2
_ROLES = {
    AnswerState.APPROVED: Role.STRONG,
    AnswerState.DENIED: Role.STRONG,
    AnswerState.REFUSED: Role.ALERT,
    AnswerState.NOT_SENT: Role.ALERT,
    AnswerState.UNKNOWN: Role.ALERT,
}


def result_lines(results: Results, width: int) -> list[Line]:
    """Return the lines of all results."""
    return [row for item in results.items for row in _lines(item, width)]


def summary(results: Results) -> SafeText:
    """Return the number of each result: "2 approved, 1 already decided"."""
    parts = (fmt("{} {}", count, SafeText(state)) for state, count in results.counts.items())
    return SafeText(", ".join(parts))


def _lines(result: Result, width: int) -> list[Line]:
    """Return a result's fingerprint and state, its headline, and the explanation."""
    approval, role = result.approval, _ROLES.get(result.state, Role.PLAIN)
    word = Piece(SafeText(result.state.capitalize()), role)
    first_line = (Piece(fmt("{}  ", SafeText(approval.fingerprint))), word)
    explanation = wrap_text(result.reason, width, role, indent=_INDENT) if result.reason else []
    return [first_line, *wrap_text(approval.outcome_headline, width, indent=_INDENT), *explanation]


_BATCH_STOPPERS = (
    errors.Unreachable,
    errors.UnknownOutcome,
    errors.WireError,
    errors.LoginFirst,
    errors.DeviceLocked,
    errors.WrongPin,
    errors.PinNeeded,
)
"""After these errors nothing more is sent: it would also fail or use up a PIN attempt."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of one answer."""

    approval: Approval
    """The newest copy of the request."""
    state: AnswerState
    reason: SafeText = SafeText("")  # noqa: RUF009  # SafeText is immutable
    stops_batch: bool = False
    """Whether the rest of the batch must not be sent."""


def send(
    answers: DecisionClient, approval: Approval, answer: Approve | Deny, context: ScreenContext
) -> SendResult:
    """Approve or deny one request. Blocks."""
    try:
        if isinstance(answer, Approve):
            return SendResult(_approve(answers, approval, answer.pin), AnswerState.APPROVED)
        denied = answers.deny(approval, answer.code, answer.note, answer.extras)
        return SendResult(denied, AnswerState.DENIED)
    except errors.ClientError as error:
        return _failed_result(approval, error, context)


def _approve(answers: DecisionClient, approval: Approval, pin: str | None) -> Approval:
    """Approve; send the PIN only if the request itself needs it, as the app is unlocked."""
    request_pin = pin if approval.needs_pin else None
    return answers.approve(approval, fingerprint=approval.fingerprint, pin=request_pin)


def _failed_result(
    approval: Approval, error: errors.ClientError, context: ScreenContext
) -> SendResult:
    stops_batch = isinstance(error, _BATCH_STOPPERS)
    match error:
        case errors.AlreadyDecided(approval=winner):
            state = AnswerState.ALREADY if winner.decision else ended_state(winner)
            return SendResult(winner, state, outcome(winner, context.now(), context.zone))
        case errors.UnknownOutcome() | errors.WireError():
            return SendResult(approval, AnswerState.UNKNOWN, stops_batch=stops_batch)
        case errors.Unreachable():
            return SendResult(approval, AnswerState.NOT_SENT, refusals.problem(error), stops_batch)
    return SendResult(approval, AnswerState.REFUSED, refusals.problem(error), stops_batch)


_TITLES = {Answer.APPROVE: SafeText("Approving"), Answer.DENY: SafeText("Denying")}
_STILL_WAITING = SafeText("Your answer was not recorded. The request is still waiting.")


class ResultsPanel(Overlay):
    """The panel with the list of results, a summary, and the Close button."""

    AUTO_FOCUS = "#results"
    BACK = SafeText("Close")
    HELP_ROWS = RESULTS_HELP
    BINDINGS: ClassVar[list[BindingType]] = bindings(undo="undo_denial")

    def __init__(
        self,
        context: ScreenContext,
        state: InboxState,
        batch: BatchSubmitted,
        listener: "AnswerFlow",
        *,
        warning: SafeText,
    ) -> None:
        super().__init__(context, state)
        self._batch = batch
        self._answer_flow = listener
        self._warning = warning
        """What is shown while denials wait, if they could not be saved."""
        answer = Answer.DENY if isinstance(batch.answer, Deny) else Answer.APPROVE
        self.results = Results.before_sending(answer, batch.approvals)
        self._send_at: float | None = context.ticks()
        """When the first answer is due, on the monotonic clock; None once sending started."""
        if answer is Answer.DENY:
            self._send_at += UNDO_SECONDS
        self.is_busy = True

    def content(self) -> ComposeResult:
        """Lay out the title and the list."""
        yield TitleLine(self._title)
        yield EntrySheet(partial(result_lines, self.results), id="results")

    def update_panel(self) -> None:
        """Start sending if it is due, resolve unknown outcomes, and draw."""
        if self.is_ready:
            self._send_if_due()
            self._resolve_unknown()
        super().update_panel()

    def closing_result(self) -> PanelClosed | None:
        """Return None, because this panel never closes by itself."""
        return None

    def draw_widgets(self) -> None:
        """Update the title, the list and the summary."""
        self.query_one(TitleLine).refresh()
        self.query_one(EntrySheet).show(
            partial(result_lines, self.results), ("results", self.results)
        )
        self.query_one("#hint", CachedLine).show(self._status_text())
        self.query_one("#back", PanelButton).is_off = self.is_busy
        keys = results_keys(can_undo=self._can_undo)
        self.query_one(KeyBar).show(with_keymap(keys, self.context.keys))

    def action_back(self) -> None:
        """Close the panel, unless answers are still being sent."""
        if not self.is_busy:
            self.finish(PanelClosed(self._status_text()))

    def action_undo_denial(self) -> None:
        """Cancel all denials, as long as none was sent."""
        if self._can_undo:
            self._send_at = None
            self.is_busy = False
            self._answer_flow.denials_canceled(self._batch.approvals)
            self.finish(PanelClosed(fmt("Undone: nothing was denied.")))

    def _send_started(self, approval_id: str) -> None:
        self.results = self.results.with_state(approval_id, AnswerState.SENDING)
        self.update_panel()

    def _send_finished(self, send_result: SendResult) -> None:
        self.results = self.results.with_state(
            send_result.approval.id, send_result.state, send_result.reason, send_result.approval
        )
        if send_result.stops_batch:
            self.results = self.results.with_rest_stopped(
                fmt("Not sent. The request is still waiting.")
            )
        self.is_busy = not self.results.is_complete
        if send_result.state is AnswerState.UNKNOWN:
            self._answer_flow.check_outcome(send_result.approval.id, self.results.answer)
        else:
            self._answer_flow.update_request(send_result.approval)
        self.update_panel()
        if not self.is_busy:
            self._answer_flow.leave_if_done()

    def _send_if_due(self) -> None:
        if self._send_at is not None and self.context.ticks() >= self._send_at:
            self._send_at = None
            self._answer_flow.answers_started(self._batch.approvals)
            self.run_worker(self._send_all, thread=True, group="batch")

    def _send_all(self) -> None:
        """Send the answers one by one, each with its own signature. Runs in a thread."""
        for approval in self._batch.approvals:
            self.call_later(self._send_started, approval.id)
            send_result = send(self.context.answers, approval, self._batch.answer, self.context)
            self.call_later(self._send_finished, send_result)
            if send_result.stops_batch:
                return

    def _resolve_unknown(self) -> None:
        """Resolve unknown outcomes from the server's copies, once those are fetched."""
        for approval_id in self.results.unknown_ids:
            copy = self.state.inbox.find(approval_id)
            if (
                self.state.in_progress.get(approval_id) is not AnswerProgress.CHECKING
                and copy is not None
            ):
                self.results = self._results_after(copy)

    def _results_after(self, copy: Approval) -> Results:
        device, now = self.state.device, self.context.now()
        device_id = None if device is None else device.id
        is_counted = self.state.has_approved(copy)
        new_state = answer_state(copy, self.results.answer, device_id, now, is_counted=is_counted)
        why = (
            _STILL_WAITING
            if new_state is AnswerState.NOT_RECORDED
            else outcome(copy, now, self.context.zone)
        )
        is_ours = new_state in {AnswerState.APPROVED, AnswerState.DENIED}
        return self.results.with_state(copy.id, new_state, SafeText("") if is_ours else why, copy)

    def _title(self, width: int) -> Line:
        del width
        verb = _TITLES[self.results.answer] if self.is_busy else fmt("Answered")
        return line(fmt("{} {}", verb, len(self.results.items)))

    @property
    def _can_undo(self) -> bool:
        return self._send_at is not None and self.results.answer is Answer.DENY

    def _status_text(self) -> SafeText:
        if self._can_undo and self._send_at is not None:
            left = seconds_left(self._send_at, self.context.ticks())
            key = self.context.keys.key("undo")
            countdown = fmt("Denying in {} s; {} undoes all of it.", left, key)
            return fmt("{} {}", countdown, self._warning) if self._warning else countdown
        summary_text = SafeText(summary(self.results).capitalize())
        return fmt("{}.", summary_text)
