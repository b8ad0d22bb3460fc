"""What another system calls an agent, and when somebody wants to look at it again."""

import pytest

from server.services.clients.agent_forms import AgentChanges
from server.services.clients.reviews import LONGEST_MS
from server.services.operations.doctor import Doctor
from server.services.policy.judging import Judge
from server.services.refusals import Invalid
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, registered


@pytest.fixture
def begun(desk):
    """An installation with an administrator."""
    desk.installation.init("admin", by=BY)
    return desk


def _changed(desk, **changes):
    return desk.agents.update("invoice-bot", AgentChanges(**changes), by=BY)


def test_both_are_kept_changed_and_taken_away(begun):
    """And stay where nothing is said of them."""
    soon = begun.clock.now() + DAY
    agent = registered(begun, external_id="crm-7", review_at=soon).agent
    assert (agent.external_id, agent.review_at) == ("crm-7", soon)
    agent = _changed(begun, description="x")
    assert (agent.external_id, agent.review_at) == ("crm-7", soon)
    agent = _changed(begun, external_id="crm-8", review_at=soon + DAY)
    assert (agent.external_id, agent.review_at) == ("crm-8", soon + DAY)
    agent = _changed(begun, external_id="", review_at=None)
    assert (agent.external_id, agent.review_at) == (None, None)
    assert begun.agents.show("invoice-bot")[0] == agent


@pytest.mark.parametrize("raw", ["a" * 129, "a\u202eb", "a\nb", "\x1b[31m"])
def test_an_external_id_is_a_line_that_anybody_can_read(begun, raw):
    """It is shown beside the agent."""
    with pytest.raises(Invalid, match="external id"):
        registered(begun, external_id=raw)


@pytest.mark.parametrize("after", [-DAY, 0, LONGEST_MS + DAY])
def test_a_review_lies_ahead(begun, after):
    """Within ten years."""
    with pytest.raises(Invalid, match="review"):
        registered(begun, review_at=begun.clock.now() + after)


def test_the_doctor_reminds_when_the_day_has_come(begun):
    """Not before; nothing is stopped."""
    registered(begun, review_at=begun.clock.now() + DAY)
    doctor = Doctor(begun.store, Judge(begun.secrets))
    assert not any("review of the agent" in one.what for one in doctor.findings())
    begun.clock.forward(DAY)
    assert any("review of the agent" in one.what for one in doctor.findings())
