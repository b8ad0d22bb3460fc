"""Answering one request with typed commands: approve, deny, withdraw, report.

Owns: the questions before an answer is sent, and reporting its outcome. Never: answering anything
other than what was shown; guessing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from approver_tui.cli import lines
from approver_tui.cli.approvals import confirming, entries
from approver_tui.cli.console import Console
from approver_tui.cli.exits import error_lines
from approver_tui.client.api import Client
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.errors import (
    AlreadyDecided,
    BadPin,
    NotRecorded,
    WrongEntry,
    WrongPin,
)
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import NO_ENTRIES, Entries
from approver_tui.state.approvals.decision import NOTE_LENGTH, DenialExtras, DenyCode
from approver_tui.state.approvals.votes import withdrawn_text
from approver_tui.state.incidents.reports import ReportScope
from approver_tui.state.retry_delays import parse_moment
from approver_tui.state.text import SafeText

_ALTERNATIVE = "Who should the agent ask instead? A name, or Enter for nobody:"
_SCOPES = {"agent": ReportScope.AGENT, "everything": ReportScope.EVERY_AGENT}


@dataclass(frozen=True, slots=True)
class LineAnswers:
    """The answers to one request; each returns whether it was answered."""

    client: Client
    decider: DecisionClient
    console: Console
    approval: Approval

    def approve(self) -> bool:
        """Approve, with all required steps and the PIN. Raises PinNeeded without a terminal."""
        if self.approval.is_locked:
            self.console.print_lines(
                ["", "Too many wrong entries: this request is locked for you."]
            )
            return self._cancel()
        self.console.print_lines(lines.approval_summary(self.approval, self.client.now()))
        typed: Entries | None = None
        while (
            typed := typed or entries.complete_entries(self.approval, NO_ENTRIES, self.console.ask)
        ) and (pin := self._ask_pin()):
            try:
                return self._send(partial(self._send_approval, typed, pin))
            except (BadPin, WrongPin) as error:
                self.console.print_lines(["", *error_lines(error)])
            except WrongEntry as error:
                self.console.print_lines(["", *error_lines(error)])
                typed = None
        return self._cancel()

    def deny(self) -> bool:
        """Deny, with a reason, its extra fields, and notes."""
        rows = [f"  {code.value:<14} {code.label}" for code in DenyCode]
        self.console.print_lines(["", "Why? The agent sees the reason.", *rows])
        code = self._ask_choice([code.value for code in DenyCode])
        if code is None:
            return self._cancel()
        denial = self._ask_denial(DenyCode(code))
        if denial is None or not self._confirm("deny"):
            return self._cancel()
        note, extras = denial
        return self._send(lambda: self.decider.deny(self.approval, DenyCode(code), note, extras))

    def withdraw(self) -> bool:
        """Withdraw the user's approval."""
        approval = self.decider.withdraw(self.approval)
        self.console.print_lines(["", withdrawn_text(approval.vote_tally)])
        return True

    def report(self) -> bool:
        """Report the request."""
        name = self.approval.agent.name
        self.console.print_lines(
            [
                "",
                (
                    "This denies the request and quarantines the agent until an "
                    "administrator has reviewed it."
                ),
                f"  agent        quarantine {name}",
                "  everything   quarantine every agent that acts for you",
            ]
        )
        scope = self._ask_choice(list(_SCOPES))
        if scope is None:
            return self._cancel()
        note = self._ask_note("Note to administrators, or Enter for none:")
        if note is None or not self._confirm("report"):
            return self._cancel()
        report_result = self.decider.report(self.approval, _SCOPES[scope], note)
        self.console.print_lines(["", *lines.report_lines(report_result)])
        return True

    def _send_approval(self, typed: Entries, pin: str) -> Approval:
        fingerprint = self.approval.fingerprint
        return self.decider.approve(self.approval, fingerprint=fingerprint, pin=pin, entries=typed)

    def _ask_pin(self) -> str:
        self.console.print_lines(
            ["Type your PIN to approve; it is not shown. Press Enter to go back."]
        )
        return self.console.pin()

    def _ask_denial(self, code: DenyCode) -> tuple[str, DenialExtras] | None:
        """Return the notes and other fields of a reason; None if canceled."""
        until = self._ask_retry_time() if code.takes == "retry_at" else ""
        alternative = self.console.ask(_ALTERNATIVE) if code.takes == "ask" else ""
        note = self._ask_note("Note to the agent, or Enter for none:")
        private_note = self._ask_note("Private note (audit log only), or Enter for none:")
        if until is None or alternative is None or note is None or private_note is None:
            return None
        retry_at = parse_moment(until, self.client.now()) if until else None
        return note, DenialExtras(retry_at, alternative or None, private_note or None)

    def _ask_retry_time(self) -> str | None:
        question = (
            "When can it ask again? 15m, 1h, 1d, a time such as "
            "2026-12-01T08:00:00Z, or Enter for none:"
        )
        while typed := self.console.ask(question):
            try:
                parse_moment(typed, self.client.now())
            except ValueError as error:
                self.console.print_lines([f"Not a valid time: {error}."])
            else:
                break
        return typed

    def _ask_choice(self, choices: list[str]) -> str | None:
        while typed := self.console.ask("Type one of these, or press Enter to go back:"):
            if typed in choices:
                return typed
        return None

    def _ask_note(self, question: str) -> str | None:
        while True:
            typed = self.console.ask(question)
            if typed is None or len(typed) <= NOTE_LENGTH:
                return typed
            self.console.print_lines([f"A note can have at most {NOTE_LENGTH} characters."])

    def _confirm(self, word: str) -> bool:
        question = f"This is final. Type {word} to send it, or press Enter to go back:"
        return self.console.ask(question) == word

    def _cancel(self) -> bool:
        self.console.print_lines(["Nothing was sent."])
        return False

    def _send(self, send: Callable[[], Approval]) -> bool:
        """Send, and print the outcome; an approval may have to wait for others."""
        try:
            approval = confirming.send_and_confirm(
                self.decider, send, self._print, timeout=math.inf
            )
        except AlreadyDecided as error:
            self.console.print_lines(["", *error_lines(error)])
        except NotRecorded as error:
            self.console.print_lines(["", str(error)])
            return False
        else:
            self.console.print_lines(["", *lines.outcome_lines(approval)])
        return True

    def _print(self, text: SafeText) -> None:
        self.console.print_lines([text])
