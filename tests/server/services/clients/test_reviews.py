"""The external ID of an agent and the date of its next review."""

import pytest

from server.services.clients.agent_checks import MAX_REVIEW_MS
from server.services.clients.agent_forms import AgentChanges
from server.services.operations.doctor import Doctor
from server.services.policy.evaluation import Evaluator
from server.services.refusals import Invalid
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, register_agent


@pytest.fixture
def with_admin(admin_services):
    """An installation with an administrator."""
    admin_services.installation.init("admin", by=BY)
    return admin_services


def _update(admin_services, **changes):
    return admin_services.agents.update("invoice-bot", AgentChanges(**changes), by=BY)


def test_external_id_and_review_date_are_set_kept_and_removed(with_admin):
    """An update of another member keeps both; an empty value removes them."""
    review_at = with_admin.clock.now() + DAY
    agent = register_agent(with_admin, external_id="crm-7", review_at=review_at).agent
    assert (agent.external_id, agent.review_at) == ("crm-7", review_at)
    agent = _update(with_admin, description="x")
    assert (agent.external_id, agent.review_at) == ("crm-7", review_at)
    agent = _update(with_admin, external_id="crm-8", review_at=review_at + DAY)
    assert (agent.external_id, agent.review_at) == ("crm-8", review_at + DAY)
    agent = _update(with_admin, external_id="", review_at=None)
    assert (agent.external_id, agent.review_at) == (None, None)
    assert with_admin.agents.show("invoice-bot")[0] == agent


@pytest.mark.parametrize("raw", ["a" * 129, "a\u202eb", "a\nb", "\x1b[31m"])
def test_an_external_id_must_be_displayable(with_admin, raw):
    """An external ID is shown next to the agent, so it must not contain control characters."""
    with pytest.raises(Invalid, match="external ID"):
        register_agent(with_admin, external_id=raw)


@pytest.mark.parametrize("after", [-DAY, 0, MAX_REVIEW_MS + DAY])
def test_a_review_date_must_be_in_the_future(with_admin, after):
    """A review date that is past, now, or more than ten years away is refused."""
    with pytest.raises(Invalid, match="review"):
        register_agent(with_admin, review_at=with_admin.clock.now() + after)


def test_the_doctor_reports_a_due_review(with_admin):
    """The finding appears when the review is due, and the agent stays enabled."""
    register_agent(with_admin, review_at=with_admin.clock.now() + DAY)
    doctor = Doctor(with_admin.store, lambda: Evaluator(with_admin.secrets))
    assert not any("review of the agent" in finding.what for finding in doctor.findings())
    with_admin.clock.forward(DAY)
    assert any("review of the agent" in finding.what for finding in doctor.findings())
