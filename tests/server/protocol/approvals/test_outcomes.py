"""Each way in which a request can end without approval has its own reason and message."""

import pytest

from server.protocol.approvals.outcomes import END_REASONS, NOT_REDEEMED, agent_reason
from server.protocol.approvals.states import State
from server.protocol.ciba import requests


@pytest.mark.parametrize(
    ("state", "inner", "expected_reason"),
    [
        (State.EXPIRED, "expired_seen", "expired_seen"),
        (State.EXPIRED, "expired_unseen", "expired_unseen"),
        (State.EXPIRED, "undeliverable", "undeliverable"),
        (State.EXPIRED, "no_device", "no_device"),
        (State.EXPIRED, "not_redeemed", "expired_seen"),
        (State.EXPIRED, "locked", "expired_seen"),
        (State.EXPIRED, None, "expired_seen"),
        (State.CANCELLED, "superseded", "superseded"),
        (State.CANCELLED, "locked", "locked"),
        (State.CANCELLED, "withdrawn", "cancelled"),
        (State.CANCELLED, "no_device", "cancelled"),
        (State.CANCELLED, "an operator's own words", "cancelled"),
        (State.CANCELLED, None, "cancelled"),
    ],
)
def test_agents_get_one_of_the_documented_reasons(state, inner, expected_reason):
    """Other stored reasons become documented ones, so text by an administrator is never sent."""
    assert agent_reason(state, inner) == expected_reason


def test_an_approved_request_that_was_not_redeemed_has_its_own_sentence():
    """The agent gets a documented reason. If a rule approved the request, it counts as unseen."""
    expected_reason = agent_reason(State.EXPIRED, NOT_REDEEMED)
    answer = requests.poll_error(State.EXPIRED, {"reason": expected_reason}, NOT_REDEEMED)
    assert (answer.code, answer.members["reason"]) == ("expired_token", "expired_seen")
    assert answer.description == (
        "It was approved, but its tokens were not fetched in time. This is not a denial; you may "
        "ask again."
    )
    assert agent_reason(State.EXPIRED, NOT_REDEEMED, by_person=False) == "expired_unseen"
    assert agent_reason(State.EXPIRED, "expired_seen", by_person=False) == "expired_seen"
    assert agent_reason(State.CANCELLED, NOT_REDEEMED, by_person=False) == "cancelled"


@pytest.mark.parametrize("reason", ["no_device", "undeliverable", "expired_unseen"])
def test_with_hidden_users_no_reason_reveals_that_a_user_exists(reason):
    """Only an existing user can have or lack a device, so agents do not get those reasons."""
    assert agent_reason(State.EXPIRED, reason, hidden=True) == "expired_unseen"


def test_every_reason_has_its_own_sentence_that_is_not_a_denial():
    """The agent's model reads the message, so it is plain text and says what the agent may do."""
    texts = {value.text for value in END_REASONS.values()}
    assert len(texts) == len(END_REASONS)
    for reason, outcome in END_REASONS.items():
        answer = requests.poll_error(outcome.state, {"reason": reason})
        expired = outcome.state is State.EXPIRED
        assert answer.code == ("expired_token" if expired else "access_denied")
        assert answer.description == outcome.text
        assert ("not a denial" in outcome.text) is expired
        assert outcome.text.endswith(".")
        assert outcome.text.isascii()
