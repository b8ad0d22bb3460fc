"""The order of risks."""

import itertools

import pytest

from server.protocol.policy import risks
from server.protocol.policy.risks import Risk


def test_risks_are_ordered_from_low_to_critical():
    """Risks are ordered by severity, not alphabetically."""
    ordered = sorted(Risk, key=lambda risk: risk.rank)
    assert [str(risk) for risk in ordered] == ["low", "medium", "high", "critical"]


@pytest.mark.parametrize("pair", list(itertools.product(Risk, Risk)))
def test_the_highest_risk_is_the_one_of_higher_rank(pair):
    """A request has the highest risk of all its parts."""
    assert risks.highest(pair).rank == max(risk.rank for risk in pair)


def test_every_risk_has_a_time_to_live_in_seconds():
    """Critical requests live longer than high ones, because they need two approvers."""
    assert [risks.TIME_TO_LIVE[risk] for risk in Risk] == [86_400, 1_800, 600, 3_600]
