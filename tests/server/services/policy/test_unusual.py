"""Unusual signals as a rule condition, evaluated as they were at the time of the request."""

import json

import pytest

from server.protocol.approvals.states import State
from server.protocol.approvals.unusual import Code
from server.protocol.policy.risks import Risk
from server.services.operations.replays import Replays
from server.services.operations.trials import TrialRequest, Trials
from server.services.policy.evaluation import Evaluator, PolicyRequest, current_codes
from server.services.policy.policies import Policies
from server.services.policy.schemas import Schemas
from server.services.resources.targets import TokenTarget
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.clients.agent import PAYMENT_DETAILS

FIRST_SIGNALS = (Code.NEW_AGENT, Code.NEW_RESOURCE, Code.NEW_SCOPE)
CAREFUL = rule("ask", 'when.unusual = ["new_agent"]', 'ask.risk = "high"', name="careful")


@pytest.fixture
def put(local):
    """A function that puts a rule set in force."""

    def put_rules(*rules):
        return Policies(local.services.store).set("\n".join(rules), by=BY)

    return put_rules


@pytest.fixture
def evaluator(local):
    """The policy evaluator."""
    return Evaluator(local.services.secrets)


def test_a_rule_about_signals_applies_until_the_first_approval(agent, person, put):
    """The first request needs the PIN; the next one has low risk again."""
    put(CAREFUL)
    handle, first = agent.request_approval()
    assert (first.risk, first.ceremony) == (Risk.HIGH, "pin")
    assert person.approve(first.id).status == 200
    assert agent.poll(handle).status == 200
    assert agent.request_approval()[1].risk is Risk.LOW


def test_a_request_keeps_its_signals_after_its_approval(agent, person, local, put):
    """The approval does not change which rules apply to the request."""
    put(rule("deny", 'when.unusual = ["unusual_hour"]'), CAREFUL)
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    local.clock.forward(60_000)
    assert agent.poll(handle).status == 200


def test_a_deny_rule_for_a_signal_asks_nobody(agent, put):
    """The request is refused with policy_denied."""
    put(rule("deny", 'when.unusual = ["new_scope"]', name="closed"))
    assert agent.ask().json["reason"] == "policy_denied"


def test_a_new_rule_applies_to_the_signals_of_a_pending_request(agent, local, put, person):
    """The server refuses the approval and cancels the request."""
    _, approval = agent.request_approval()
    put(rule("deny", 'when.unusual = ["new_agent"]'))
    assert person.approve(approval.id).refusal == (409, "not_pending")
    assert local.stored_approval(approval.id).state is State.CANCELLED


def test_explain_lists_the_signals_and_the_rules_that_use_them(
    agent, person, local, evaluator, put
):
    """Each signal has the code that rules use for it."""
    put(CAREFUL)
    trials = Trials(local.services.store, local.server_policy, evaluator)
    case = TrialRequest("invoice-bot", "request", "ana", PAY, ("payments:read",))
    explanation = trials.explain(case)
    assert explanation.unusual == FIRST_SIGNALS
    assert [matched_rule.id for matched_rule in explanation.rules] == ["careful"]
    _, approval = agent.request_approval()
    person.approve(approval.id)
    assert trials.explain(case).unusual == ()
    for_agent_itself = TrialRequest(
        "invoice-bot", "client_credentials", None, PAY, ("payments:read",)
    )
    assert trials.explain(for_agent_itself).unusual == ()


def test_a_replay_uses_the_signals_at_the_time_of_the_request(agent, person, local, evaluator):
    """The approval that came later does not remove the signals."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    agent.poll(handle)
    replays = Replays(local.services.store, evaluator)
    closed = rule("deny", 'when.unusual = ["new_agent"]', name="closed")
    replay = replays.replay(DAY, closed)
    assert [(c.before, c.after) for c in replay.changes] == [("ask", "deny")]


def _case(view, agent, **members):
    agent_row, resource = view.directory.agent(agent.id), view.directory.resource(PAY)
    request = {
        "flow": "exchange",
        "agent": agent_row,
        "user": view.directory.find_user("ana"),
        "target": TokenTarget(resource, ("payments:read",)),
        **members,
    }
    return PolicyRequest(**request)


def test_signals_without_history_or_user(agent, person, local):
    """Client credentials have no signals; for an unknown user, everything is new."""
    assert person.user.name == "ana"
    secrets = local.services.secrets
    with local.services.store.read() as view:
        for_agent_itself = _case(view, agent, flow="client_credentials", user=None)
        assert current_codes(view, secrets, for_agent_itself) == frozenset()
        types = Schemas().registered_types(view.directory, ("payment.transfer",))
        logged = _case(view, agent, actions=types)
        assert current_codes(view, secrets, logged) >= {Code.NEW_AGENT, Code.NEW_SCOPE}
        nobody = _case(view, agent, flow="request", user=None)
        assert current_codes(view, secrets, nobody) == set(FIRST_SIGNALS)


def test_a_rule_may_deny_a_new_payee(agent, person, local, put):
    """The action type says that the payee is its target."""
    document = json.loads(local.admin.actions.show("payment.transfer").document)
    local.admin.actions.update(json.dumps({**document, "target": "/payee"}), by=BY)
    put(rule("deny", 'when.unusual = ["new_target"]', name="new-payee"), rule("ask"))
    assert agent.ask_payment().json["reason"] == "policy_denied"
    put(rule("ask"))
    _, approval = agent.request_payment()
    person.approve(approval.id)
    put(rule("deny", 'when.unusual = ["new_target"]', name="new-payee"), rule("ask"))
    assert agent.ask_payment().status == 200
    other = [{**PAYMENT_DETAILS[0], "payee": "Somebody else"}]
    assert agent.ask_payment(authorization_details=json.dumps(other)).status == 403
