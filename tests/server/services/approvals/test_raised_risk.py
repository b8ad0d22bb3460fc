"""An agent may raise the risk of its own request, and never lower it."""

import json

import pytest

from server.protocol.policy.risks import Risk
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from tests.support.builders import consents, standing_grants
from tests.support.builders.callers import LocalAgent, LocalTerminal
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.builders.site import LocalSite


def test_a_raised_risk_sets_ceremony_and_expiry(agent: LocalAgent, person: LocalTerminal) -> None:
    """The request is treated as if its own risk were that high."""
    handle, approval = agent.request_approval(risk="high")
    assert (approval.risk, approval.ceremony) == (Risk.HIGH, "pin")
    shown = json.loads(approval.display)
    assert shown["risk"] == "high"
    assert shown["risk_reason"] == "Policy or the agent raised the risk."
    assert approval.expires_at - approval.created_at == 600_000
    assert person.send_decision(approval.id, person.decision(approval.id)).status == 403
    assert person.approve(approval.id).json["state"] == "approved"
    assert agent.poll(handle).status == 200


@pytest.mark.parametrize("wanted", ["low", "medium"])
def test_an_agent_cannot_lower_the_risk(agent: LocalAgent, wanted: str) -> None:
    """A payment stays high risk if the agent states a lower risk."""
    assert agent.request_payment(risk=wanted)[1].risk is Risk.HIGH


def test_a_rule_and_consent_do_not_decide_a_request_with_raised_risk(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """A rule and a consent apply only to the risk that they were created for."""
    open_rule = rule("allow", 'when.at = ["request"]', 'when.resource = ["*"]', name="open")
    Policies(local.services.store).set(open_rule, by=BY)
    consents.give(local, agent, person)
    assert agent.request_approval()[1].decided_by is not None
    assert agent.request_approval(risk="high")[1].decided_by is None


def test_a_standing_grant_does_not_decide_a_request_with_raised_risk(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """The grant decides the same request if its risk is not raised."""
    standing_grants.lower(local)
    standing_grants.give(person, standing_grants.example(agent))
    plain = agent.local.approval_for(standing_grants.ask(agent).json["auth_req_id"])
    raised = agent.local.approval_for(standing_grants.ask(agent, risk="medium").json["auth_req_id"])
    assert plain.decided_by is not None
    assert raised.decided_by is None


def test_a_request_raised_to_critical_needs_two_people(local: LocalSite, agent: LocalAgent) -> None:
    """With fewer than two eligible people, the request is refused immediately."""
    local.admin.resources.update(PAY, ResourceChanges(scopes={"payments:read": Risk.LOW}), by=BY)
    local.admin.users.disable("admin", by=BY, force=True)
    refused = agent.ask(risk="critical")
    assert refused.refusal == (403, "access_denied")
    assert "2 approvals" in refused.json["error_description"]


@pytest.mark.parametrize("word", ["HIGH", "severe"])
def test_an_unknown_risk_is_refused(agent: LocalAgent, word: str) -> None:
    """The error lists the valid risks."""
    refused = agent.ask(risk=word)
    assert refused.refusal == (400, "invalid_request")
    assert "low, medium, high, critical" in refused.json["error_description"]
