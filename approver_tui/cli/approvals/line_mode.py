"""The line mode: the app's inbox as lines and typed commands.

Owns: the commands and what each does. Never: a single key that answers, color, cursor movement,
answering a request that was not shown.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from approver_tui.cli import lines
from approver_tui.cli.approvals import listing
from approver_tui.cli.approvals.line_answers import LineAnswers
from approver_tui.cli.console import Console
from approver_tui.cli.exits import error_lines
from approver_tui.cli.inputs import this_client, warn_about_log
from approver_tui.client.api import Client
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.errors import ClientError, LoginFirst, PinNeeded
from approver_tui.client.notifications.feed import Feed, FeedListeners
from approver_tui.client.wire import Page
from approver_tui.state.approvals.approvals import Approval, ApprovalState, Retry
from approver_tui.state.notifications.events import Event, EventName

_LIST_HELP = (
    "Type the number of a request to read it, then press Enter. Other commands:",
    "  list      list the waiting requests",
    "  wait      wait for a new request",
    "  history   list past requests",
    "  quit      leave without answering",
)
_REQUEST_HELP = (
    "Type one of these commands in full, then press Enter. No single key answers:",
    "  approve   approve it; asks for your PIN",
    "  deny      deny it, with a reason",
    "  withdraw  withdraw your approval while others must still approve",
    "  report    report that you did not ask for this; quarantines the agent",
    "  skip      go on to the next request",
    "  again     show it again",
    "  raw       show the two signed texts",
    "  list      go back to the list",
    "  quit      leave without answering",
)
_HISTORY_LENGTH = 20
_Result = TypeVar("_Result")


@dataclass(slots=True)
class LineMode:
    """One session; a request keeps its number until the session ends."""

    client: Client
    decider: DecisionClient
    console: Console
    _numbers: dict[str, int] = field(default_factory=dict)
    _ids: dict[int, str] = field(default_factory=dict)
    _is_done: bool = False

    def run(self, approval_id: str | None = None) -> None:
        """List, show and answer requests until the user quits. Raises LoginFirst."""
        profile = self.client.profile
        self.console.print_lines([f"Sayso. {profile.user_name} at {profile.issuer}."])
        self._list()
        if approval_id is not None:
            self._review(approval_id)
        elif not self._is_done:
            self.console.print_lines(["", *_LIST_HELP])
        while not self._is_done:
            self._run_command()

    def _run_command(self) -> None:
        typed = self.console.ask("Number, list, wait, history, help or quit:")
        commands: dict[str, Callable[[], None]] = {
            "": self._list,
            "list": self._list,
            "wait": self._wait,
            "history": self._history,
            "help": lambda: self.console.print_lines(_LIST_HELP),
            "quit": self._quit,
        }
        if typed is None:
            self._quit()
        elif typed in commands:
            commands[typed]()
        elif typed.isdecimal() and int(typed) in self._ids:
            self._review(self._ids[int(typed)])
        else:
            self.console.print_lines(
                ["That is not a command or a number from the list. Type help."]
            )

    def _list(self) -> None:
        page = self._run_or_report(self.client.waiting)
        if page is None:
            return
        now = self.client.now()
        self._assign_numbers(page)
        mine, others = listing.by_turn(page, self.client.profile.user_id)
        text = [
            f"{listing.waiting_sentence(len(mine.items))} for your answer.",
            *listing.numbered_lines(mine.items, self._numbers, now),
            *listing.unverified_rows(page),
        ]
        if others:
            text += ["WAITING FOR OTHERS", *listing.numbered_lines(others, self._numbers, now)]
        self.console.print_lines(["", *text])

    def _assign_numbers(self, page: Page) -> None:
        for approval in page.items:
            if approval.id not in self._numbers:
                number = len(self._numbers) + 1
                self._numbers[approval.id], self._ids[number] = number, approval.id

    def _history(self) -> None:
        page = self._run_or_report(lambda: self.client.inbox("decided", limit=_HISTORY_LENGTH))
        if page is not None:
            self.console.print_lines(
                ["", *listing.page_lines(page, self.client.now(), empty="No past requests yet.")]
            )

    def _wait(self) -> None:
        """Wait for the next request; Ctrl+C ends only the waiting."""
        page = self._run_or_report(self.client.waiting)
        if page is None:
            return
        self.console.print_lines(["Waiting for a new request. Press Ctrl+C to go back."])
        stop = threading.Event()

        def on_event(event: Event) -> None:
            if event.name is EventName.REQUESTED:
                stop.set()

        listeners = FeedListeners(on_event, lambda _connection: None, on_resync=stop.set)
        try:
            Feed(self.client, cursor=page.feed_cursor).run(listeners, stop)
        except KeyboardInterrupt:
            self.console.print_lines([""])
        self._list()

    def _review(self, approval_id: str) -> None:
        """Show one request, and after an answer or a skip the next one."""
        next_id: str | None = approval_id
        while next_id is not None and not self._is_done:
            approval = self._show(next_id)
            if approval is None:
                return
            next_id = self._next_request(approval) if self._ask_answer(approval) else None

    def _show(self, approval_id: str) -> Approval | None:
        approval = self._run_or_report(lambda: self.client.approval(approval_id))
        if approval is not None:
            number = self._numbers.get(approval.id)
            title = "Request" if number is None else f"Request {number}"
            self.console.print_lines(
                ["", f"{title}.", *lines.request_lines(approval, self.client.now())]
            )
        return approval

    def _ask_answer(self, approval: Approval) -> bool:
        """Ask until the request is answered or skipped, and return True; False to go back."""
        if not approval.is_waiting(self.client.now()):
            self.console.print_lines(["", "This request is closed and cannot be answered."])
            self._offer_retry(approval)
            return False
        line_answers = LineAnswers(self.client, self.decider, self.console, approval)
        answers = {
            "approve": line_answers.approve,
            "deny": line_answers.deny,
            "report": line_answers.report,
            "withdraw": line_answers.withdraw,
        }
        while True:
            typed = self.console.ask("approve, deny, report, skip, list, help or quit:")
            if typed is None or typed == "quit":
                self._quit()
                return False
            if typed == "list":
                self._list()
                return False
            if typed == "skip" or (typed in answers and self._run_or_report(answers[typed])):
                return True
            if typed not in answers:
                self.console.print_lines(self._command_output(typed, approval))

    def _offer_retry(self, approval: Approval) -> None:
        """Offer to ask the agent of an expired request to retry."""
        if approval.retry is not Retry.POSSIBLE:
            return
        word = self.console.ask("Type retry to ask the agent to retry, or press Enter to continue:")
        if word != "retry":
            return
        updated = self._run_or_report(lambda: self.client.request_retry(approval.id))
        if updated is not None:
            self.console.print_lines(["", lines.retry_requested(updated)])

    def _command_output(self, typed: str, approval: Approval) -> list[str]:
        match typed:
            case "again":
                return lines.request_lines(approval, self.client.now())
            case "raw":
                return lines.signed_texts(approval)
            case "help":
                return list(_REQUEST_HELP)
        return ["That is not a command. Type one in full, such as deny or help."]

    def _next_request(self, approval: Approval) -> str | None:
        """Return the next waiting request in the order of the numbers."""
        page = self._run_or_report(self.client.waiting)
        if page is None:
            return None
        self._assign_numbers(page)
        number = self._numbers.get(approval.id, 0)
        open_ids = {item.id for item in page.items if item.state is ApprovalState.PENDING}
        later_numbers = [
            candidate
            for candidate, candidate_id in self._ids.items()
            if candidate > number and candidate_id in open_ids
        ]
        if later_numbers:
            return self._ids[min(later_numbers)]
        self.console.print_lines(["", "That was the last request."])
        self._list()
        return None

    def _run_or_report(self, work: Callable[[], _Result]) -> _Result | None:
        """Return the result of `work`; None after printing its error."""
        try:
            return work()
        except (LoginFirst, PinNeeded):
            raise
        except ClientError as error:
            self.console.print_lines(["", *error_lines(error)])
            return None

    def _quit(self) -> None:
        self._is_done = True


def run(approval_id: str | None = None) -> None:
    """Run the line mode until the user quits. Raises LoginFirst."""
    console = Console()
    with this_client() as client, console.resuming():
        warn_about_log(client)
        LineMode(client, DecisionClient(client), console).run(approval_id)
