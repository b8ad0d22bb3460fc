"""From an engine's answers to a verdict, whichever engine it is."""

from dataclasses import dataclass, replace

import pytest

from server.protocol.approvals.ceremonies import CONFIRM, Step
from server.protocol.policy.questions import (
    FAILED_RULE,
    NO_APPROVALS,
    Approvals,
    PolicyAnswer,
    PolicyFailed,
    Requirements,
    decide,
    is_allowed,
)
from server.protocol.policy.risks import Risk
from tests.support.builders.policies import SOURCE, question

NEEDS = Requirements(Risk.HIGH, frozenset({Step.PIN}), 1, 60)


@dataclass
class Other:
    """An engine that allows with so many approvals, or never, and is asked no more than needed."""

    enough: int
    needs: Requirements | None = NEEDS

    def answer(self, question, approvals):
        allowed = approvals.count >= self.enough
        return PolicyAnswer(allowed, ("theirs",), f"{question.way}", self.needs)


class Broken:
    """An engine that does not answer."""

    def answer(self, question, approvals):
        raise PolicyFailed(f"no route to the engine for {question.agent}, {approvals.count}")


@pytest.mark.parametrize(
    ("engine", "outcome"),
    [
        (Other(0), "allow"),
        (Other(1), "ask"),
        (Other(2), "deny"),
        (Other(1, needs=None), "deny"),
    ],
)
def test_allowed_at_once_is_allow_and_with_approvals_ask_and_else_deny(engine, outcome):
    """The same question, with nobody's approval and with those that it needs."""
    found = decide(engine, question(), SOURCE)
    assert (found.outcome, found.rules, found.source) == (outcome, ("theirs",), SOURCE)
    assert (found.needs is None) is (engine.needs is None)


def test_an_engine_that_fails_never_allows():
    """Neither at first nor when the token is minted."""
    found = decide(Broken(), question(), SOURCE)
    assert (found.outcome, found.rules) == ("deny", (FAILED_RULE,))
    assert is_allowed(Broken(), question(), NEEDS.complete_approvals("ana")) is False


def test_what_holds_is_asked_with_the_approvals_there_are():
    """No more, and no fewer."""
    assert is_allowed(Other(1), question(), NEEDS.complete_approvals("ana")) is True
    assert is_allowed(Other(1), question(), NO_APPROVALS) is False


def test_what_is_allowed_without_a_consent_behind_it_takes_what_is_usual():
    """A person's request is asked about whatever a rule allows."""
    found = decide(Other(0), question(scopes={"x": Risk.MEDIUM}), SOURCE)
    assert (found.needs.risk, found.needs.ceremony, found.needs.seconds) == (
        Risk.MEDIUM,
        CONFIRM,
        1_800,
    )


@pytest.mark.parametrize(
    ("by", "through", "met"),
    [
        ({"ana"}, {}, True),
        ({"ana"}, {"ana": "ben"}, True),
        ({"ana"}, {"ana": "owner"}, False),
        ({"owner"}, {}, False),
        ({"owner"}, {"owner": "ben"}, False),
    ],
)
def test_neither_whose_yes_it_is_nor_who_gave_it_may_be_excluded(by, through, met):
    """An excluded person says yes in nobody's place, and nobody does in theirs."""
    said = Approvals(1, Risk.HIGH, NEEDS.ceremony, frozenset(by), through)
    assert replace(NEEDS, excluded=frozenset({"owner"})).met_by(said, "ana") is met
    named = replace(NEEDS, who=frozenset({"ana", "owner"}), excluded=frozenset({"owner"}))
    assert named.met_by(said, "ana") is met
