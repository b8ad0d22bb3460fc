"""Answering in line mode: the user is asked again after a wrong entry, and PINs are hidden."""

from collections.abc import Iterator
from typing import Any

import pytest

from approver_tui.cli import lines
from approver_tui.cli.approvals.line_answers import LineAnswers
from approver_tui.client.errors import BadPin, DeviceLocked, WrongEntry, WrongPin
from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_approval
from approver_tui.state.approvals.approvals import Approval
from tests.support.builders.approval_texts import NOW, wire_approval

_TYPE_BACK_DISPLAY = {
    "facts": [{"label": "To", "value": "DE89 3000", "material": True}],
    "type_back": {"label": "To", "kind": "last_four", "at": "/authorization_details/0/to"},
}


class Script:
    """A user who types the given words, and the given PINs at hidden prompts."""

    def __init__(self, words: list[str], pins: list[str]) -> None:
        self.words, self.pins = iter(words), iter(pins)
        self.printed: list[str] = []

    def print_lines(self, new_lines: list[str]) -> None:
        """Keep what was printed."""
        self.printed += new_lines

    def ask(self, question: str) -> str:
        """Keep the question and return the next word."""
        self.printed.append(question)
        return next(self.words)

    def pin(self) -> str:
        """Return the next PIN."""
        return next(self.pins)


class FakeDecider:
    """A decider that raises the given errors in turn and then accepts the approval."""

    def __init__(self, failures: Iterator[Exception], approval: Approval) -> None:
        self.failures, self.approval = failures, approval
        self.sent: list[tuple[str | None, str]] = []

    def approve(self, _: Approval, *, pin: str, entries: Any, **__: object) -> Approval:
        """Raise the next error, or return the approved request."""
        self.sent.append((entries.fact, pin))
        for failure in self.failures:
            raise failure
        return self.approval


class Clock:
    """The part of a client that these tests need: the server's time."""

    def now(self) -> int:
        """Return the server's time."""
        return NOW


def _line_answers(script: Script, *failures: Exception) -> LineAnswers:
    wire = wire_approval(
        risk="high", display=_TYPE_BACK_DISPLAY, outer={"ceremony": "pin+type_back"}
    )
    approval = read_approval(JsonObject(wire))
    deciding = FakeDecider(iter(failures), approval)
    return LineAnswers(Clock(), deciding, script, approval)  # type: ignore[arg-type]  # stand-ins


def _sent_entries(answering: LineAnswers) -> list[tuple[str | None, str]]:
    return answering.decider.sent  # type: ignore[attr-defined,no-any-return]  # the stand-in's


def test_a_wrong_pin_is_asked_for_again_at_a_hidden_prompt() -> None:
    """After a wrong PIN only the PIN is asked for again; the other entries are kept."""
    script = Script(["3000"], ["111111", "222222"])
    answering = _line_answers(script, WrongPin(1, 9))
    assert answering.approve()
    assert _sent_entries(answering) == [("3000", "111111"), ("3000", "222222")]
    assert "Error: Wrong PIN. Attempts left: 9." in script.printed


def test_a_short_pin_is_asked_for_again() -> None:
    """A PIN that is too short is not sent, and the user can type it again."""
    script = Script(["3000"], ["1111", "111111"])
    answering = _line_answers(script, BadPin("A PIN must have at least 6 characters."))
    assert answering.approve()
    assert "Error: A PIN must have at least 6 characters." in script.printed


def test_a_wrong_fact_is_asked_for_again_with_the_pin() -> None:
    """A wrong fact requires the PIN again. An impossible one is never sent and costs no attempt."""
    script = Script(["9999", "300", "3000"], ["111111", "111111"])
    wrong = WrongEntry("wrong_entry", 422, "That is not it.", {"step": "type_back", "left": 1})
    answering = _line_answers(script, wrong)
    assert answering.approve()
    assert _sent_entries(answering) == [("9999", "111111"), ("3000", "111111")]
    assert any(line.startswith("Not valid. Type the last 4") for line in script.printed)


@pytest.mark.parametrize(
    ("words", "pins", "sent"),
    [([""], [], 0), (["9", ""], [], 0), (["3000"], [""], 0), (["3000"], ["111111", ""], 1)],
)
def test_enter_at_any_question_sends_nothing_more(
    words: list[str], pins: list[str], sent: int
) -> None:
    """An empty line at any question stops the answer, and the output says so."""
    script = Script(words, pins)
    answering = _line_answers(script, WrongPin(1, 9))
    assert not answering.approve()
    assert len(_sent_entries(answering)) == sent
    assert script.printed[-1] == "Nothing was sent."


def test_a_locked_device_ends_the_questions() -> None:
    """A locked device raises immediately, because only another device can unlock it."""
    answering = _line_answers(
        Script(["3000"], ["111111"]), DeviceLocked("device_locked", 423, "Locked.")
    )
    with pytest.raises(DeviceLocked):
        answering.approve()


def test_the_requirements_include_the_pin() -> None:
    """The requirements in the line mode always name the PIN."""
    approval = _line_answers(Script([], [])).approval
    requirements = next(
        line for line in lines.request_lines(approval, NOW) if line.startswith("requires")
    )
    assert 'your PIN, the last 4 characters of "To"' in requirements
