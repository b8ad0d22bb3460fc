"""Execution outcomes reported by resources, compared with what was granted."""

import pytest

from server.services.approvals.oversight import Oversight
from tests.support.builders.callers import new_resource
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY
from tests.support.clients.agent import PAYMENT_DETAILS

OTHER = [{**PAYMENT_DETAILS[0], "payee": "Somebody else"}]


@pytest.fixture
def consumption(agent, person, resource):
    """A consumed payment: the response of `consume`."""
    answer = resource.consume(agent.paid(person))
    assert answer.status == 200, answer.body
    return answer.json


def _execution(local, approval):
    return Oversight(local.services.store).approval(approval).execution


def test_a_reported_outcome_is_recorded_and_shown(consumption, resource, person, local):
    """The audit log, the feed, the history and the administration show the outcome."""
    approval = consumption["approval"]
    shown = person.show(approval)["execution"]
    assert (shown["execution_id"], shown["outcome"], shown["reported_at"]) == ("run-1", None, None)
    answer = resource.report(
        approval, text="Paid at 14:30.", executed_digest=consumption["granted_digest"]
    )
    assert answer.status == 200, answer.body
    members = ("approval", "outcome", "text", "as_granted")
    assert [answer.json[name] for name in members] == [approval, "executed", "Paid at 14:30.", True]
    entry = local.admin.entries("approval.executed")[-1]
    assert (entry["actor"], entry["decision"]) == (f"resource:{resource.id}", "executed")
    assert entry["approval_id"] == approval
    assert entry["facts"]["executed_digest"] == consumption["granted_digest"]
    shown = person.show(approval)["execution"]
    assert (shown["outcome"], shown["text"], shown["as_granted"]) == (
        "executed",
        "Paid at 14:30.",
        True,
    )
    assert local.admin.events(person.user)[-1] == "approval.executed"
    assert _execution(local, approval).outcome.result == "executed"
    assert local.admin.entries("approval.differed") == []


def test_a_failure_can_be_reported_after_the_token_expired(consumption, resource, local):
    """The report is accepted even if the agent was disabled."""
    local.clock.forward(DAY)
    local.admin.agents.disable("invoice-bot", by=BY)
    answer = resource.report(consumption["approval"], outcome="failed", text="No funds.")
    assert (answer.json["outcome"], answer.json["as_granted"]) == ("failed", None)
    assert local.admin.entries("approval.executed")[-1]["decision"] == "failed"


@pytest.mark.parametrize("ran", [{"authorization_details": OTHER}, {"executed_digest": "A" * 43}])
def test_an_execution_that_differs_from_the_grant_raises_an_alarm(
    consumption, resource, person, local, ran
):
    """The resource may report what ran as a digest or as details."""
    answer = resource.report(consumption["approval"], **ran)
    assert (answer.status, answer.json["as_granted"]) == (200, False)
    entry = local.admin.entries("approval.differed")[-1]
    assert entry["decision"] == "alarm"
    assert entry["facts"]["granted_digest"] == consumption["granted_digest"]
    assert entry["facts"]["executed_digest"] == answer.json["executed_digest"]
    assert local.admin.events(person.user)[-2:] == ["approval.executed", "alarm.execution_differed"]
    assert local.messages()[-1]["event"] == "alarm.execution_differed"


def test_executed_details_are_compared_by_their_digest(consumption, resource):
    """The server computes the digest of the reported details."""
    answer = resource.report(consumption["approval"], authorization_details=PAYMENT_DETAILS)
    assert answer.json["executed_digest"] == consumption["granted_digest"]
    assert answer.json["as_granted"] is True


def test_the_first_report_counts(consumption, resource, local):
    """Repeating the report returns the same response, and a different report is refused."""
    first = resource.report(consumption["approval"], text="Paid.")
    local.clock.forward(DAY)
    assert resource.report(consumption["approval"], text="Paid.").json == first.json
    for other in ({"outcome": "failed", "text": "Paid."}, {}, {"executed_digest": "A" * 43}):
        refused = resource.report(consumption["approval"], **other)
        assert refused.refusal == (409, "already_reported")
    assert len(local.admin.entries("approval.executed")) == 1
    assert local.admin.entries("approval.differed") == []


def test_only_the_consuming_resource_can_report_its_execution(
    consumption, agent, person, resource, local
):
    """Other approvals and executions are not found."""
    local.admin.resources.add("https://other.example", {}, {}, by=BY)
    other_resource = new_resource(local, "https://other.example")
    assert other_resource.report(consumption["approval"]).refusal == (404, "not_found")
    assert resource.report(consumption["approval"], "run-2").refusal == (404, "not_found")
    handle, approval = agent.request_payment()
    person.approve(approval.id)
    assert agent.poll(handle).status == 200
    assert resource.report(approval.id).refusal == (404, "not_found")
    assert person.show(approval.id)["execution"] is None
    assert resource.report("sayso_ap_none").refusal == (404, "not_found")


BROKEN = {
    "an unknown outcome": {"outcome": "maybe"},
    "no outcome": {"outcome": None},
    "details and a digest": {"executed_digest": "A" * 43, "authorization_details": OTHER},
    "an invalid digest": {"executed_digest": "abc"},
    "a hidden character": {"text": "paid\u202e"},
    "text that is too long": {"text": "x" * 201},
    "an unknown member": {"state": "done"},
}


@pytest.mark.parametrize("members", BROKEN.values(), ids=BROKEN)
def test_an_invalid_report_is_refused(consumption, resource, local, members):
    """An invalid report stores nothing."""
    assert resource.report(consumption["approval"], **members).refusal == (422, "invalid_body")
    assert local.admin.entries("approval.executed") == []


def test_an_empty_string_is_stored_as_none(consumption, resource):
    """An empty text in a report is stored as if it were missing."""
    assert resource.report(consumption["approval"], text="").json["text"] is None
