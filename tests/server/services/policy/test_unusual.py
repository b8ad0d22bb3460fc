"""What is unusual as a condition: told by what was approved, as it was when it was asked."""

import json

import pytest

from server.protocol.approvals.states import State
from server.protocol.approvals.unusual import Code
from server.protocol.policy.risks import Risk
from server.services.operations.replays import Replays
from server.services.operations.trials import TrialRequest, Trials
from server.services.policy.judging import Judge, JudgedRequest, current_codes
from server.services.policy.policies import Policies
from server.services.policy.schemas import Schemas
from server.services.resources.targets import TokenTarget
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.clients.agent import PAYMENT_DETAILS

FIRST = (Code.NEW_AGENT, Code.NEW_RESOURCE, Code.NEW_SCOPE)
CAREFUL = rule("ask", 'when.unusual = ["new_agent"]', 'ask.risk = "high"', name="careful")


@pytest.fixture
def put(local):
    """Puts a rule set in force."""

    def put_rules(*rules):
        return Policies(local.services.store).set("\n".join(rules), by=BY)

    return put_rules


@pytest.fixture
def judge(local):
    """Asks policy."""
    return Judge(local.services.secrets)


def test_what_is_unusual_raises_what_is_asked_until_it_is_not(agent, person, put):
    """The first request of an agent takes the PIN; after a yes it is one like others."""
    put(CAREFUL)
    handle, first = agent.asked()
    assert (first.risk, first.ceremony) == (Risk.HIGH, "pin")
    assert person.approve(first.id).status == 200
    assert agent.poll(handle).status == 200
    assert agent.asked()[1].risk is Risk.LOW


def test_what_was_unusual_when_it_was_asked_stays_so_for_that_request(agent, person, local, put):
    """An answer that makes it usual does not end the rule that demanded it, or begin another."""
    put(rule("deny", 'when.unusual = ["unusual_hour"]'), CAREFUL)
    handle, approval = agent.asked()
    person.approve(approval.id)
    local.clock.forward(60_000)
    assert agent.poll(handle).status == 200


def test_a_rule_that_forbids_what_is_unusual_asks_nobody(agent, put):
    """Nobody approved anything of it yet, so nothing can be."""
    put(rule("deny", 'when.unusual = ["new_scope"]', name="shut"))
    assert agent.ask().json["reason"] == "policy_denied"


def test_a_request_that_waits_falls_to_a_new_rule_by_what_was_unusual(agent, local, put, person):
    """Policy is asked again about the request as it was."""
    _, approval = agent.asked()
    put(rule("deny", 'when.unusual = ["new_agent"]'))
    assert person.approve(approval.id).refusal == (409, "not_pending")
    assert local.stored(approval.id).state is State.CANCELLED


def test_explain_says_what_is_unusual_and_judges_by_it(agent, person, local, judge, put):
    """In the codes that rules take."""
    put(CAREFUL)
    trials = Trials(local.services.store, local.services.rules, judge)
    wanted = TrialRequest("invoice-bot", "request", "ana", PAY, ("payments:read",))
    found = trials.explain(wanted)
    assert found.unusual == FIRST
    assert [each.id for each in found.rules] == ["careful"]
    _, approval = agent.asked()
    person.approve(approval.id)
    assert trials.explain(wanted).unusual == ()
    alone = TrialRequest("invoice-bot", "client_credentials", None, PAY, ("payments:read",))
    assert trials.explain(alone).unusual == ()


def test_a_dry_run_takes_requests_as_they_were(agent, person, local, judge):
    """What has become usual since was not when it was asked."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    agent.poll(handle)
    replays = Replays(local.services.store, judge)
    shut = rule("deny", 'when.unusual = ["new_agent"]', name="shut")
    found = replays.replay(DAY, shut)
    assert [(c.before, c.after) for c in found.changes] == [("ask", "deny")]


def _case(view, agent, **members):
    found, resource = view.directory.agent(agent.id), view.directory.resource(PAY)
    whole = {
        "way": "exchange",
        "agent": found,
        "user": view.directory.user_called("ana"),
        "target": TokenTarget(resource, ("payments:read",)),
        **members,
    }
    return JudgedRequest(**whole)


def test_who_is_compared_with_nothing(agent, person, local):
    """An agent for itself, details that only the log has; and nobody has approved anything."""
    assert person.user.name == "ana"
    secrets = local.services.secrets
    with local.services.store.read() as view:
        alone = _case(view, agent, way="client_credentials", user=None)
        assert current_codes(view, secrets, alone) == frozenset()
        types = Schemas().known(view.directory, ("payment.transfer",))
        told = _case(view, agent, actions=types)
        assert current_codes(view, secrets, told) >= {Code.NEW_AGENT, Code.NEW_SCOPE}
        nobody = _case(view, agent, way="request", user=None)
        assert current_codes(view, secrets, nobody) == set(FIRST)


def test_a_payee_whom_nobody_approved_is_a_condition(agent, person, local, put):
    """By the type's own word for what is new."""
    known = json.loads(local.desk.actions.show("payment.transfer").document)
    local.desk.actions.update(json.dumps({**known, "target": "/payee"}), by=BY)
    put(rule("deny", 'when.unusual = ["new_target"]', name="stranger"), rule("ask"))
    assert agent.ask_payment().json["reason"] == "policy_denied"
    put(rule("ask"))
    _, approval = agent.asked_payment()
    person.approve(approval.id)
    put(rule("deny", 'when.unusual = ["new_target"]', name="stranger"), rule("ask"))
    assert agent.ask_payment().status == 200
    other = [{**PAYMENT_DETAILS[0], "payee": "Somebody else"}]
    assert agent.ask_payment(authorization_details=json.dumps(other)).status == 403
