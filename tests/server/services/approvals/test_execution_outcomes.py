"""What a resource says of an execution: once, of its own, and held against what was granted."""

import pytest

from server.services.approvals.oversight import Oversight
from tests.support.builders.callers import new_resource
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY
from tests.support.clients.agent import PAYMENT_DETAILS

OTHER = [{**PAYMENT_DETAILS[0], "payee": "Somebody else"}]


@pytest.fixture
def spent(agent, person, resource):
    """A payment that the bank is carrying out, as `consume` answered."""
    answer = resource.consume(agent.paid(person))
    assert answer.status == 200, answer.body
    return answer.json


def _seen(local, approval):
    return Oversight(local.services.store).approval(approval).execution


def test_what_was_done_joins_the_record(spent, resource, person, local):
    """In the log, on the person's screens and in their history, and the administrator's sheet."""
    approval = spent["approval"]
    shown = person.show(approval)["execution"]
    assert (shown["execution_id"], shown["outcome"], shown["reported_at"]) == ("run-1", None, None)
    answer = resource.report(
        approval, text="Paid at 14:30.", executed_digest=spent["granted_digest"]
    )
    assert answer.status == 200, answer.body
    members = ("approval", "outcome", "text", "as_granted")
    assert [answer.json[name] for name in members] == [approval, "executed", "Paid at 14:30.", True]
    entry = local.desk.entries("approval.executed")[-1]
    assert (entry["actor"], entry["decision"]) == (f"resource:{resource.id}", "executed")
    assert entry["approval_id"] == approval
    assert entry["facts"]["executed_digest"] == spent["granted_digest"]
    shown = person.show(approval)["execution"]
    assert (shown["outcome"], shown["text"], shown["as_granted"]) == (
        "executed",
        "Paid at 14:30.",
        True,
    )
    assert local.desk.events(person.user)[-1] == "approval.executed"
    assert _seen(local, approval).outcome.result == "executed"
    assert local.desk.entries("approval.differed") == []


def test_a_failure_is_said_too_and_long_after_the_token(spent, resource, local):
    """What it did it did; the token may have run out, and its agent be stopped."""
    local.clock.forward(DAY)
    local.desk.agents.disable("invoice-bot", by=BY)
    answer = resource.report(spent["approval"], outcome="failed", text="No funds.")
    assert (answer.json["outcome"], answer.json["as_granted"]) == ("failed", None)
    assert local.desk.entries("approval.executed")[-1]["decision"] == "failed"


@pytest.mark.parametrize("ran", [{"authorization_details": OTHER}, {"executed_digest": "A" * 43}])
def test_what_ran_and_was_not_granted_is_an_alarm(spent, resource, person, local, ran):
    """By its digest, or whole: then the server makes the digest."""
    answer = resource.report(spent["approval"], **ran)
    assert (answer.status, answer.json["as_granted"]) == (200, False)
    entry = local.desk.entries("approval.differed")[-1]
    assert entry["decision"] == "alarm"
    assert entry["facts"]["granted_digest"] == spent["granted_digest"]
    assert entry["facts"]["executed_digest"] == answer.json["executed_digest"]
    assert local.desk.events(person.user)[-2:] == ["approval.executed", "alarm.execution_differed"]
    assert local.messages()[-1]["event"] == "alarm.execution_differed"


def test_what_ran_whole_is_what_was_granted(spent, resource):
    """The resource need not know how the digest is made."""
    answer = resource.report(spent["approval"], authorization_details=PAYMENT_DETAILS)
    assert answer.json["executed_digest"] == spent["granted_digest"]
    assert answer.json["as_granted"] is True


def test_the_first_word_stands(spent, resource, local):
    """The same again is the same; another one is refused and changes nothing."""
    first = resource.report(spent["approval"], text="Paid.")
    local.clock.forward(DAY)
    assert resource.report(spent["approval"], text="Paid.").json == first.json
    for other in ({"outcome": "failed", "text": "Paid."}, {}, {"executed_digest": "A" * 43}):
        refused = resource.report(spent["approval"], **other)
        assert refused.refusal == (409, "already_reported")
    assert len(local.desk.entries("approval.executed")) == 1
    assert local.desk.entries("approval.differed") == []


def test_nobody_speaks_for_another_or_of_what_was_not_spent(spent, agent, person, resource, local):
    """Another resource, another execution, an approval that was never spent, and none at all."""
    local.desk.resources.add("https://other.example", {}, {}, by=BY)
    stranger = new_resource(local, "https://other.example")
    assert stranger.report(spent["approval"]).refusal == (404, "not_found")
    assert resource.report(spent["approval"], "run-2").refusal == (404, "not_found")
    handle, approval = agent.asked_payment()
    person.approve(approval.id)
    assert agent.poll(handle).status == 200
    assert resource.report(approval.id).refusal == (404, "not_found")
    assert person.show(approval.id)["execution"] is None
    assert resource.report("sayso_ap_none").refusal == (404, "not_found")


BROKEN = {
    "a word that is none": {"outcome": "maybe"},
    "no word": {"outcome": None},
    "what ran said twice": {"executed_digest": "A" * 43, "authorization_details": OTHER},
    "a digest that is none": {"executed_digest": "abc"},
    "a text that hides something": {"text": "paid\u202e"},
    "a text that is too long": {"text": "x" * 201},
    "a member that is not known": {"state": "done"},
}


@pytest.mark.parametrize("members", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_shown_is_refused(spent, resource, local, members):
    """And nothing is written."""
    assert resource.report(spent["approval"], **members).refusal == (422, "invalid_body")
    assert local.desk.entries("approval.executed") == []


def test_an_empty_text_is_none(spent, resource):
    """It says nothing."""
    assert resource.report(spent["approval"], text="").json["text"] is None
