"""Answering one request with typed commands: approve, deny, report.

Owns: what is asked before an answer is sent, and reporting its outcome. Never: answers anything
other than what was shown; guesses.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from approver_tui.cli import lines
from approver_tui.cli.approvals import checking, entries
from approver_tui.cli.console import Console
from approver_tui.cli.exits import error_lines
from approver_tui.client.api import Client
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.errors import (
    AlreadyDecided,
    NotRecorded,
    WrongEntry,
    WrongPin,
)
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import Entries
from approver_tui.state.approvals.decision import NOTE_LENGTH, DenialExtras, DenyCode
from approver_tui.state.incidents.reports import ReportScope
from approver_tui.state.retry_delays import parse_moment
from approver_tui.state.text import SafeText

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
            self.console.say(["", "Too many wrong entries: this request is locked for you."])
            return self._back()
        self.console.say(lines.approval_summary(self.approval, self.client.now()))
        typed: Entries | None = None
        while (typed := typed or entries.ask_entries(self.approval, self.console.ask)) and (
            pin := self._pin()
        ):
            try:
                return self._sent(partial(self._yes, typed, pin))
            except WrongPin as error:
                self.console.say(["", *error_lines(error)])
            except WrongEntry as error:
                self.console.say(["", *error_lines(error)])
                typed = None
        return self._back()

    def deny(self) -> bool:
        """Deny, with a reason, its extra fields, and notes."""
        rows = [f"  {code.value:<14} {code.label}" for code in DenyCode]
        self.console.say(["", "Why? The agent sees the reason.", *rows])
        code = self._choice([code.value for code in DenyCode])
        if code is None:
            return self._back()
        given = self._beside(DenyCode(code))
        if given is None or not self._is_meant("deny"):
            return self._back()
        note, aside = given
        return self._sent(lambda: self.decider.deny(self.approval, DenyCode(code), note, aside))

    def report(self) -> bool:
        """Report the request."""
        name = self.approval.agent.name
        self.console.say(
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
        scope = self._choice(list(_SCOPES))
        if scope is None:
            return self._back()
        note = self._note("Note to administrators, or Enter for none:")
        if note is None or not self._is_meant("report"):
            return self._back()
        done = self.decider.report(self.approval, _SCOPES[scope], note)
        self.console.say(["", *lines.report_lines(done)])
        return True

    def _yes(self, typed: Entries, pin: str) -> Approval:
        seen = self.approval.fingerprint
        return self.decider.approve(self.approval, fingerprint=seen, pin=pin, entries=typed)

    def _pin(self) -> str:
        self.console.say(["Type your PIN to approve; it is not shown. Press Enter to go back."])
        return self.console.pin()

    def _beside(self, code: DenyCode) -> tuple[str, DenialExtras] | None:
        """Return the notes and other fields of a reason; None if canceled."""
        until = self._moment() if code.takes == "retry_at" else ""
        whom = self._name() if code.takes == "ask" else ""
        note = self._note("Note to the agent, or Enter for none:")
        private = self._note("Private note (audit log only), or Enter for none:")
        if until is None or whom is None or note is None or private is None:
            return None
        retry_at = parse_moment(until, self.client.now()) if until else None
        return note, DenialExtras(retry_at, whom or None, private or None)

    def _moment(self) -> str | None:
        question = (
            "When can it ask again? 15m, 1h, 1d, a time such as "
            "2026-12-01T08:00:00Z, or Enter for none:"
        )
        while typed := self.console.ask(question):
            try:
                parse_moment(typed, self.client.now())
            except ValueError as error:
                self.console.say([f"Not a valid time: {error}."])
            else:
                break
        return typed

    def _name(self) -> str | None:
        return self.console.ask("Who should the agent ask instead? A name, or Enter for nobody:")

    def _choice(self, words: list[str]) -> str | None:
        while typed := self.console.ask("Type one of these, or press Enter to go back:"):
            if typed in words:
                return typed
        return None

    def _note(self, question: str) -> str | None:
        while True:
            typed = self.console.ask(question)
            if typed is None or len(typed) <= NOTE_LENGTH:
                return typed
            self.console.say([f"A note can have at most {NOTE_LENGTH} characters."])

    def _is_meant(self, word: str) -> bool:
        question = f"This is final. Type {word} to send it, or press Enter to go back:"
        return self.console.ask(question) == word

    def _back(self) -> bool:
        self.console.say(["Nothing was sent."])
        return False

    def _sent(self, send: Callable[[], Approval]) -> bool:
        """Send, and print the outcome; an approval may have to wait for others."""
        try:
            done = checking.send_and_confirm(self.decider, send, self._say, patience=math.inf)
        except AlreadyDecided as error:
            self.console.say(["", *error_lines(error)])
        except NotRecorded as error:
            self.console.say(["", str(error)])
            return False
        else:
            self.console.say(["", *lines.outcome(done)])
        return True

    def _say(self, text: SafeText) -> None:
        self.console.say([text])
