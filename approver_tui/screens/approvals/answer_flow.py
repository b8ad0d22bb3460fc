"""The path of an answer, from the panel to the server's confirmation.

Owns: the open panel, waiting denials, answers with an unknown outcome, quitting after everything is
sent. Never: drawing; calling the server other than through `Calls`.
"""

from collections.abc import Callable, Collection, Hashable
from functools import partial
from typing import TYPE_CHECKING

from approver_tui.client import errors
from approver_tui.screens import refusals
from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.blockers import approval_blocker
from approver_tui.screens.approvals.calls import Calls
from approver_tui.screens.approvals.denials import (
    UNDO_SECONDS,
    Denial,
    PendingAction,
    seconds_left,
    unsaved_warning,
)
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.results import ResultsPanel
from approver_tui.screens.drafts import Draft
from approver_tui.screens.panel import (
    Approve,
    Approved,
    ApproveNext,
    BatchSubmitted,
    DenialSubmitted,
    Deny,
    OutcomeUnknown,
    Overlay,
    Panel,
    PanelClosed,
    PanelResult,
    ReportAccepted,
)
from approver_tui.screens.request_actions import QuickAction
from approver_tui.state.answer_status import AnswerStatus, answer_message
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.selection import individual_reason
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.outcomes import outcome
from approver_tui.widgets.approvals.rows import AnswerProgress
from approver_tui.widgets.incidents.reports import report_result_text
from approver_tui.widgets.lines import fmt

if TYPE_CHECKING:
    from approver_tui.screens.approvals.inbox_base import InboxBase

_CHECK_INTERVAL = 2.0


class AnswerFlow:
    """All answers that one screen has in progress."""

    def __init__(self, host: "InboxBase", calls: Calls) -> None:
        self.panel: Overlay | None = None
        """The open panel."""
        self._host = host
        self._calls = calls
        self._denials: dict[str, Denial] = {}
        """The denials that are not sent yet, by approval ID, oldest first."""
        self._later: PendingAction | None = None
        """The action that can be undone before it runs."""
        self._example: tuple[str, Approval] | None = None
        """The standing grant being approved, and the request to approve after it."""
        self._running = 0
        """The number of actions that are running."""
        self._drafts: dict[Hashable, Draft] = {}
        """The text typed in panels that were closed with Back, by panel subject."""
        self._is_leaving = False
        self._checked_at = 0.0

    @property
    def can_undo(self) -> bool:
        """Whether a denial or other action is waiting and can still be undone."""
        return self._later is not None or self.latest is not None

    @property
    def latest(self) -> Denial | None:
        """The denial that Undo would cancel, if any."""
        return next(reversed(self._denials.values()), None)

    def countdown(self, ticks: float) -> SafeText:
        """Return the pending action and the key that undoes it; empty if none is pending."""
        denial, key = self.latest, self._host.context.keys.key("undo")
        if self._later is not None:
            left = seconds_left(self._later.due, ticks)
            return fmt("In {} s ({} to undo): {}.", left, key, self._later.action.pending_text)
        if denial is None:
            return SafeText("")
        left = seconds_left(denial.due, ticks)
        if warning := unsaved_warning(
            waiting.storage_problem for waiting in self._denials.values()
        ):
            return fmt("Denying in {} s ({} to undo). {}", left, key, warning)
        what = denial.approval.headline
        return fmt("Denying in {} s ({} to undo): {}", left, key, what)

    def act(self, action: QuickAction) -> None:
        """Run an action now or, if it can be undone, after the undo delay. Ignores a duplicate."""
        if self._later is not None and self._later.action.pending_text == action.pending_text:
            return
        self._run_waiting_action()
        if not action.pending_text:
            self._run(action)
            return
        self._later = PendingAction(action, self._host.context.ticks() + UNDO_SECONDS)
        self._host.show_message(self.countdown(self._host.context.ticks()))

    def _run_waiting_action(self) -> None:
        """Run the waiting action immediately."""
        if self._later is not None:
            action, self._later = self._later.action, None
            self._run(action)

    def _run(self, action: QuickAction) -> None:
        self._running += 1
        self._host.run_in_thread(action.do, self._action_finished, self._action_failed, group="act")

    def _action_finished(self, message: SafeText) -> None:
        self._running -= 1
        self._host.show_message(message)
        self.leave_if_done()

    def _action_failed(self, error: errors.ClientError) -> None:
        self._action_finished(refusals.change_problem(error, done=fmt("Nothing was changed.")))

    @property
    def is_checking(self) -> bool:
        """Whether the outcome of any answer is unknown."""
        return AnswerProgress.CHECKING in self._host.state.in_progress.values()

    def open(self, make: Callable[[], Overlay]) -> None:
        """Open a panel unless one is open. A second key may arrive before a panel is mounted."""
        if self.panel is None:
            self._host.context.guard.arm()
            self.panel = panel = make()
            panel.draft = self._drafts.pop(panel.subject, {})
            self._host.app.push_screen(panel, partial(self._panel_closed, panel))

    def state_changed(self, state: InboxState) -> None:
        """Pass the state on to the open panel."""
        if self.panel is not None:
            self.panel.state_changed(state)

    def undo_denial(self) -> None:
        """Undo the waiting action or, if there is none, the latest denial that was not sent."""
        if self._later is not None:
            self._later = None
            self._host.show_message(fmt("Undone: nothing was changed."))
            return
        if (denial := self.latest) is not None:
            del self._denials[denial.approval.id]
            self._host.set_state(self._host.state.without_progress(denial.approval.id))
            self.denials_canceled((denial.approval,))
            self._host.show_message(fmt("Undone: nothing was denied."))

    def leave(self) -> None:
        """Quit after sending the waiting answers; a second call quits immediately."""
        if self._is_leaving or not self._has_unfinished_work():
            self._host.app.exit()
            return
        self._is_leaving = True
        key = self._host.context.keys.key("quit")
        self._host.show_message(
            fmt("Sending your answer before quitting. Press {} again to quit now.", key)
        )
        self.send_waiting()

    def send_waiting(self) -> bool:
        """Send the waiting answers now; return whether there were any."""
        was_waiting = self.can_undo
        self._run_waiting_action()
        self._send(tuple(self._denials.values()))
        return was_waiting

    def tick(self) -> None:
        """Send denials that are due, and check answers with an unknown outcome."""
        ticks = self._host.context.ticks()
        self._send(tuple(denial for denial in self._denials.values() if denial.due <= ticks))
        if self._later is not None and self._later.due <= ticks:
            self._run_waiting_action()
        if ticks - self._checked_at >= _CHECK_INTERVAL:
            self._checked_at = ticks
            for approval_id, progress in self._host.state.in_progress.items():
                if progress is AnswerProgress.CHECKING:
                    self._calls.check_outcome(approval_id)

    def answer_recorded(self, approval: Approval) -> None:
        """Show an answer that the server recorded."""
        self.update_request(approval)
        self._show_outcome(approval)
        self.leave_if_done()

    def answer_refused(self, approval_id: str, error: errors.ClientError) -> None:
        """Show why an answer was not recorded, or check it if its outcome is unknown."""
        match error:
            case errors.UnknownOutcome(answer=answer):
                self.check_outcome(approval_id, answer)
            case errors.WireError():
                self.check_outcome(approval_id)
            case errors.AlreadyDecided(approval=winner):
                self._host.set_state(
                    self._host.state.with_approval(winner).without_progress(winner.id)
                )
                self._host.show_message(refusals.already_decided(winner, self._host.context))
            case _:
                self.forget_unsent({approval_id})
                self._host.set_state(self._host.state.without_progress(approval_id))
                self._host.show_message(
                    refusals.change_problem(error, done=answer_message(AnswerStatus.NOT_RECORDED))
                )
        self.leave_if_done()

    # Called by the panel that sends several answers.

    def answers_started(self, approvals: tuple[Approval, ...]) -> None:
        """Deselect the requests that are now being answered."""
        ids = {approval.id for approval in approvals}
        self._host.set_state(self._host.state.without_selected(ids))

    def denials_canceled(self, approvals: tuple[Approval, ...]) -> None:
        """Remove canceled denials from the unsent denials stored on disk."""
        self.forget_unsent({approval.id for approval in approvals})

    def update_request(self, approval: Approval) -> None:
        """Replace a request with the copy that the server returned."""
        self.forget_unsent({approval.id})
        self._host.set_state(self._host.state.with_approval(approval).without_progress(approval.id))

    def _panel_closed(self, panel: Overlay, result: PanelResult) -> None:
        self.panel = None
        self._keep_draft(panel, result)
        match result:
            case Approved(approval=approved):
                self.answer_recorded(approved)
                self._approve_example(approved)
            case DenialSubmitted():
                self._schedule_denial(result)
            case ApproveNext(approval=approval, also=example):
                self._example = None if example is None else (approval.id, example)
                self._open_approve(approval)
            case ReportAccepted(reported=reported):
                self._host.set_state(self._host.state.with_approval(reported.approval))
                self._host.show_message(report_result_text(reported))
            case BatchSubmitted():
                self._open_results(result)
            case OutcomeUnknown(approval=approval):
                self.check_outcome(approval.id, Answer.APPROVE)
            case PanelClosed():
                about = panel.approval if isinstance(panel, Panel) else None
                self._closed_without_answer(about, result)
        self._calls.reload_account()
        self.leave_if_done()

    def _open_approve(self, approval: Approval) -> None:
        host = self._host
        self.open(partial(ApprovePanel, host.context, host.state, approval))

    def _approve_example(self, granted: Approval) -> None:
        """After a standing grant, approve its example, in a panel if this requires more steps."""
        example, self._example = self._example, None
        if example is None or example[0] != granted.id:
            return
        if approval_blocker(self._host.state, example[1], self._host.context):
            return
        if individual_reason(example[1]) or example[1].needs_pin:
            self._open_approve(example[1])
        else:
            self._open_results(BatchSubmitted((example[1],), Approve()))

    def _keep_draft(self, panel: Overlay, result: PanelResult) -> None:
        """Keep the entered text if the user went back, or if the next step is the approval."""
        if not panel.draft or not isinstance(result, ApproveNext | None):
            return
        self._drafts[panel.subject] = panel.draft
        if result is None:
            self._host.show_message(fmt("Nothing was sent. Your text is kept."))

    def _open_results(self, batch_submitted: BatchSubmitted) -> None:
        host, approvals = self._host, batch_submitted.approvals
        is_denial = isinstance(batch_submitted.answer, Deny)
        problem = self._save_unsent(approvals) if is_denial else SafeText("")
        warning = unsaved_warning([problem] * len(approvals))
        self.open(
            partial(ResultsPanel, host.context, host.state, batch_submitted, self, warning=warning)
        )

    def _closed_without_answer(self, about: Approval | None, closed: PanelClosed) -> None:
        if closed.approval is not None:
            self._host.set_state(self._host.state.with_approval(closed.approval))
        elif about is not None:
            self._calls.fetch_approval(about.id)
        self._host.show_message(closed.reason)

    def _schedule_denial(self, denial_submitted: DenialSubmitted) -> None:
        due = self._host.context.ticks() + UNDO_SECONDS
        problem = self._save_unsent((denial_submitted.approval,))
        denial = Denial(denial_submitted.approval, denial_submitted.answer, due, problem)
        self._denials[denial.approval.id] = denial
        self._host.set_state(
            self._host.state.with_progress(denial_submitted.approval.id, AnswerProgress.DENYING)
        )

    def _save_unsent(self, approvals: tuple[Approval, ...]) -> SafeText:
        """Store denials on disk, so that the next start can report them after a crash.

        Returns the problem if they could not be stored.
        """
        try:
            self._host.context.unsent_denials.add(approvals)
        except OSError as error:
            return display_safe(str(error), max_len=100)
        return SafeText("")

    def forget_unsent(self, ids: Collection[str]) -> None:
        """Remove stored denials that were sent or will not be sent."""
        try:
            self._host.context.unsent_denials.remove(ids)
        except OSError as error:
            problem = display_safe(str(error), max_len=100)
            self._host.show_message(
                fmt("The next start may wrongly report a denial as not sent: {}", problem)
            )

    def _send(self, denials: tuple[Denial, ...]) -> None:
        for denial in denials:
            del self._denials[denial.approval.id]
            self._host.set_state(
                self._host.state.with_progress(denial.approval.id, AnswerProgress.SENDING)
            )
            self._calls.deny(denial)

    def check_outcome(self, approval_id: str, answer: Answer | None = None) -> None:
        """Keep checking an answer until its outcome is known."""
        self._host.set_state(self._host.state.with_progress(approval_id, AnswerProgress.CHECKING))
        self._host.show_message(answer_message(AnswerStatus.IN_DOUBT, answer))
        self._calls.check_outcome(approval_id)

    def _show_outcome(self, approval: Approval) -> None:
        context = self._host.context
        message = outcome(approval, context.now(), context.zone)
        if not message and approval.vote_tally is not None:
            message = fmt("Your approval was counted ({}).", approval.vote_tally.words)
        self._host.show_message(message)

    def leave_if_done(self) -> None:
        """Quit if the user has asked to quit and nothing is left to send."""
        if self._is_leaving and not self._has_unfinished_work():
            self._host.app.exit()

    def _has_unfinished_work(self) -> bool:
        """Whether an answer or an action is waiting, being sent, or has an unknown outcome."""
        is_approving = self.panel is not None and self.panel.is_busy
        is_unconfirmed = (
            AnswerProgress.SENDING in self._host.state.in_progress.values() or self.is_checking
        )
        is_acting = self._later is not None or self._running > 0
        return is_approving or is_unconfirmed or is_acting or bool(self._denials)
