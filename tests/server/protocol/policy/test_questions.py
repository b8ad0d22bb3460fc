"""The verdict from the answers of any policy engine."""

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
class ThresholdEngine:
    """An engine that allows a request once it has this many approvals."""

    required: int
    requirements: Requirements | None = NEEDS

    def answer(self, question, approvals):
        allowed = approvals.count >= self.required
        return PolicyAnswer(allowed, ("theirs",), f"{question.flow}", self.requirements)


class FailingEngine:
    """An engine that always fails."""

    def answer(self, question, approvals):
        raise PolicyFailed(f"no route to the engine for {question.agent}, {approvals.count}")


@pytest.mark.parametrize(
    ("engine", "outcome"),
    [
        (ThresholdEngine(0), "allow"),
        (ThresholdEngine(1), "ask"),
        (ThresholdEngine(2), "deny"),
        (ThresholdEngine(1, requirements=None), "deny"),
    ],
)
def test_a_verdict_is_allow_ask_or_deny(engine, outcome):
    """The verdict depends on the answers without approvals and with the required ones."""
    verdict = decide(engine, question(), SOURCE)
    assert (verdict.outcome, verdict.rules, verdict.source) == (outcome, ("theirs",), SOURCE)
    assert (verdict.requirements is None) is (engine.requirements is None)


def test_an_engine_that_fails_never_allows():
    """A failing engine denies, both at the request and when the token is issued."""
    verdict = decide(FailingEngine(), question(), SOURCE)
    assert (verdict.outcome, verdict.rules) == ("deny", (FAILED_RULE,))
    assert is_allowed(FailingEngine(), question(), NEEDS.complete_approvals("ana")) is False


def test_is_allowed_uses_the_given_approvals():
    """The engine gets exactly the approvals that were given."""
    assert is_allowed(ThresholdEngine(1), question(), NEEDS.complete_approvals("ana")) is True
    assert is_allowed(ThresholdEngine(1), question(), NO_APPROVALS) is False


def test_a_request_allowed_without_a_consent_has_default_requirements():
    """An agent's request needs an approval even if a rule allows it, unless there is a consent."""
    verdict = decide(ThresholdEngine(0), question(scopes={"x": Risk.MEDIUM}), SOURCE)
    assert (
        verdict.requirements.risk,
        verdict.requirements.ceremony,
        verdict.requirements.seconds,
    ) == (
        Risk.MEDIUM,
        CONFIRM,
        1_800,
    )


@pytest.mark.parametrize(
    ("by", "through", "is_met"),
    [
        ({"ana"}, {}, True),
        ({"ana"}, {"ana": "ben"}, True),
        ({"ana"}, {"ana": "owner"}, False),
        ({"owner"}, {}, False),
        ({"owner"}, {"owner": "ben"}, False),
    ],
)
def test_neither_the_approver_nor_their_deputy_may_be_excluded(by, through, is_met):
    """An excluded user may not vote for others, and nobody may vote for an excluded user."""
    vote = Approvals(1, Risk.HIGH, NEEDS.ceremony, frozenset(by), through)
    assert replace(NEEDS, excluded=frozenset({"owner"})).met_by(vote, "ana") is is_met
    named = replace(NEEDS, approvers=frozenset({"ana", "owner"}), excluded=frozenset({"owner"}))
    assert named.met_by(vote, "ana") is is_met
