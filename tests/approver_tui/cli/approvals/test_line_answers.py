"""Answering in the line mode: wrong entries are asked for again, and secrets are hidden."""

from collections.abc import Iterator
from typing import Any

import pytest

from approver_tui.cli import lines
from approver_tui.cli.approvals.line_answers import LineAnswers
from approver_tui.client.errors import DeviceLocked, WrongEntry, WrongPin
from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_approval
from approver_tui.state.approvals.approvals import Approval
from tests.support.builders.approval_texts import NOW, wire_approval

_BACK = {
    "facts": [{"label": "To", "value": "DE89 3000", "material": True}],
    "type_back": {"label": "To", "kind": "last_four", "at": "/authorization_details/0/to"},
}


class Script:
    """A person who types these; PINs where nothing shows."""

    def __init__(self, words: list[str], pins: list[str]) -> None:
        self.words, self.pins = iter(words), iter(pins)
        self.said: list[str] = []

    def print_lines(self, said: list[str]) -> None:
        """Keep what was said."""
        self.said += said

    def ask(self, question: str) -> str:
        """The next word."""
        self.said.append(question)
        return next(self.words)

    def pin(self) -> str:
        """The next PIN."""
        return next(self.pins)


class Deciding:
    """Fails so often, then takes the yes."""

    def __init__(self, failures: Iterator[Exception], approval: Approval) -> None:
        self.failures, self.approval = failures, approval
        self.sent: list[tuple[str | None, str]] = []

    def approve(self, _: Approval, *, pin: str, entries: Any, **__: object) -> Approval:
        """Say yes."""
        self.sent.append((entries.fact, pin))
        for failure in self.failures:
            raise failure
        return self.approval


class Clock:
    """All that answering needs of a client here."""

    def now(self) -> int:
        """The server's time."""
        return NOW


def _answering(script: Script, *failures: Exception) -> LineAnswers:
    wire = wire_approval(risk="high", display=_BACK, outer={"ceremony": "pin+type_back"})
    approval = read_approval(JsonObject(wire))
    deciding = Deciding(iter(failures), approval)
    return LineAnswers(Clock(), deciding, script, approval)  # type: ignore[arg-type]  # stand-ins


def _sent(answering: LineAnswers) -> list[tuple[str | None, str]]:
    return answering.decider.sent  # type: ignore[attr-defined,no-any-return]  # the stand-in's


def test_a_wrong_pin_is_asked_for_again_hidden() -> None:
    """The other entries are kept."""
    script = Script(["3000"], ["111111", "222222"])
    answering = _answering(script, WrongPin(1, 9))
    assert answering.approve()
    assert _sent(answering) == [("3000", "111111"), ("3000", "222222")]
    assert "Error: Wrong PIN. Attempts left: 9." in script.said


def test_a_wrong_fact_is_asked_for_again_with_the_pin() -> None:
    """An impossible one is asked for again at once and costs no attempt."""
    script = Script(["9999", "300", "3000"], ["111111", "111111"])
    wrong = WrongEntry("wrong_entry", 422, "That is not it.", {"step": "type_back", "left": 1})
    answering = _answering(script, wrong)
    assert answering.approve()
    assert _sent(answering) == [("9999", "111111"), ("3000", "111111")]
    assert any(said.startswith("Not valid. Type the last 4") for said in script.said)


@pytest.mark.parametrize(
    ("words", "pins", "sent"),
    [([""], [], 0), (["9", ""], [], 0), (["3000"], [""], 0), (["3000"], ["111111", ""], 1)],
)
def test_enter_goes_back_at_every_question(words: list[str], pins: list[str], sent: int) -> None:
    """Nothing is sent."""
    script = Script(words, pins)
    answering = _answering(script, WrongPin(1, 9))
    assert not answering.approve()
    assert len(_sent(answering)) == sent
    assert script.said[-1] == "Nothing was sent."


def test_a_locked_device_ends_the_questions() -> None:
    """Only another device can unlock it."""
    answering = _answering(
        Script(["3000"], ["111111"]), DeviceLocked("device_locked", 423, "Locked.")
    )
    with pytest.raises(DeviceLocked):
        answering.approve()


def test_the_requirements_include_the_pin() -> None:
    """A command line always asks for it."""
    approval = _answering(Script([], [])).approval
    takes = next(line for line in lines.request_lines(approval, NOW) if line.startswith("requires"))
    assert 'your PIN, the last 4 characters of "To"' in takes
