"""Step-up requirements, and the challenge that clients get (RFC 9470)."""

import pytest

from server.protocol.names import ACR_SIGNED, ACR_SIGNED_PIN
from server.protocol.tokens.step_up import NOTHING, StepUpRequirement

NOW = 1_795_566_864_000


def claims(acr=ACR_SIGNED, ago=0):
    """Return the claims of a token whose user authenticated `ago` seconds ago."""
    return {"acr": acr, "auth_time": NOW // 1000 - ago}


def test_without_a_requirement_every_token_passes():
    """Even a token without authentication claims meets an empty requirement."""
    assert NOTHING.met_by({}, NOW)


@pytest.mark.parametrize(
    ("acr", "wanted", "accepted"),
    [
        (ACR_SIGNED, [ACR_SIGNED], True),
        (ACR_SIGNED_PIN, [ACR_SIGNED_PIN], True),
        (ACR_SIGNED_PIN, [ACR_SIGNED], True),
        (ACR_SIGNED, [ACR_SIGNED_PIN], False),
        (ACR_SIGNED, ["phr", ACR_SIGNED], True),
        (ACR_SIGNED_PIN, ["phr"], False),
        (None, [ACR_SIGNED], False),
    ],
)
def test_one_of_the_acr_values_or_a_stronger_one_is_enough(acr, wanted, accepted):
    """SU-01: a weaker value than the required ones is not enough."""
    assert StepUpRequirement(wanted).met_by(claims(acr), NOW) is accepted


@pytest.mark.parametrize(
    ("ago", "most", "accepted"), [(0, 0, True), (1, 0, False), (60, 60, True), (61, 60, False)]
)
def test_an_authentication_older_than_max_age_is_refused(ago, most, accepted):
    """The age is counted from the time of authentication; the limit is inclusive."""
    assert StepUpRequirement((), most).met_by(claims(ago=ago), NOW) is accepted


def test_a_token_without_an_authentication_time_is_too_old():
    """A missing or invalid `auth_time` counts as too old."""
    for claim in ({}, {"auth_time": None}, {"auth_time": "now"}):
        assert not StepUpRequirement((), 10**9).met_by(claim, NOW)


def test_a_challenge_names_exactly_what_is_required():
    """RFC 9470 3: the challenge has only the requirements that are set."""
    full_challenge = StepUpRequirement([ACR_SIGNED_PIN, "phr"], 60).challenge()
    assert full_challenge.startswith('Bearer error="insufficient_user_authentication", ')
    assert full_challenge.endswith(f', acr_values="{ACR_SIGNED_PIN} phr", max_age="60"')
    assert "max_age" not in StepUpRequirement(["phr"]).challenge()
    assert "acr_values" not in StepUpRequirement((), 0).challenge()
