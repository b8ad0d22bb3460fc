"""Answering one request in words: approve, deny, report.

Owns: what is asked before an answer leaves, and that its outcome is learnt from the server.
Never: an answer to something else than what was shown; a guess.
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
    """The ways to answer one request; each returns whether it was answered."""

    client: Client
    decider: DecisionClient
    console: Console
    approval: Approval

    def approve(self) -> bool:
        """Say yes, with all that it takes and the PIN. Raises PinNeeded without a terminal."""
        if self.approval.is_locked:
            self.console.say(["", "Too much was typed wrongly: it is locked for you."])
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
        """Say no, with a reason, what goes with it, and notes."""
        rows = [f"  {code.value:<14} {code.label}" for code in DenyCode]
        self.console.say(["", "Why? The agent is told.", *rows])
        code = self._choice([code.value for code in DenyCode])
        if code is None:
            return self._back()
        given = self._beside(DenyCode(code))
        if given is None or not self._is_meant("deny"):
            return self._back()
        note, aside = given
        return self._sent(lambda: self.decider.deny(self.approval, DenyCode(code), note, aside))

    def report(self) -> bool:
        """Say that the person did not ask for this."""
        name = self.approval.agent.name
        self.console.say(
            [
                "",
                "This denies the request, and stops who asked until it was looked into.",
                f"  agent        stop {name}",
                "  everything   stop every agent that acts for you",
            ]
        )
        scope = self._choice(list(_SCOPES))
        if scope is None:
            return self._back()
        note = self._note("A word to the administrators, or Enter for none:")
        if note is None or not self._is_meant("report"):
            return self._back()
        done = self.decider.report(self.approval, _SCOPES[scope], note)
        self.console.say(["", *lines.report_lines(done)])
        return True

    def _yes(self, typed: Entries, pin: str) -> Approval:
        seen = self.approval.fingerprint
        return self.decider.approve(self.approval, fingerprint=seen, pin=pin, entries=typed)

    def _pin(self) -> str:
        self.console.say(["Type your PIN to approve; it is not shown. Enter alone goes back."])
        return self.console.pin()

    def _beside(self, code: DenyCode) -> tuple[str, DenialExtras] | None:
        """What goes with a reason: until when or whom, and both notes; None for going back."""
        until = self._moment() if code.takes == "retry_at" else ""
        whom = self._name() if code.takes == "ask" else ""
        note = self._note("A word to the agent, or Enter for none:")
        private = self._note("A word for the record that no agent sees, or Enter for none:")
        if until is None or whom is None or note is None or private is None:
            return None
        retry_at = parse_moment(until, self.client.now()) if until else None
        return note, DenialExtras(retry_at, whom or None, private or None)

    def _moment(self) -> str | None:
        question = (
            "Until when? 15m, 1h, 1d, a time such as 2026-12-01T08:00:00Z, or Enter for none:"
        )
        while typed := self.console.ask(question):
            try:
                parse_moment(typed, self.client.now())
            except ValueError as error:
                self.console.say([f"That is no time: {error}."])
            else:
                break
        return typed

    def _name(self) -> str | None:
        return self.console.ask("Whom may the agent ask instead? A name, or Enter for nobody:")

    def _choice(self, words: list[str]) -> str | None:
        while typed := self.console.ask("Type one of these, or Enter alone to go back:"):
            if typed in words:
                return typed
        return None

    def _note(self, question: str) -> str | None:
        while True:
            typed = self.console.ask(question)
            if typed is None or len(typed) <= NOTE_LENGTH:
                return typed
            self.console.say([f"A note has at most {NOTE_LENGTH} characters."])

    def _is_meant(self, word: str) -> bool:
        question = f"It is final. Type {word} to send it, or Enter alone to go back:"
        return self.console.ask(question) == word

    def _back(self) -> bool:
        self.console.say(["Nothing was sent."])
        return False

    def _sent(self, send: Callable[[], Approval]) -> bool:
        """Send, and say what the server says came of it; it may wait for others after a yes."""
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
