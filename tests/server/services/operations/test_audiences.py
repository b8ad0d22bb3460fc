"""Explain and replay: who would be asked, and which consent or standing grant would decide."""

import json

import pytest

from server.http.policy import policy as api
from server.services.approvers.groups import Groups
from server.services.operations.replays import Replays
from server.services.operations.trials import TrialRequest, Trials
from server.services.policy.evaluation import Evaluator
from server.services.policy.policies import Policies
from server.services.users.users import UserChanges
from tests.support.builders import standing_grants
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.builders.policies import rule
from tests.support.builders.token_chains import BANK, Chains

READ_SCOPE = ("payments:read",)
ALWAYS_ASK = rule("ask", 'when.scope = ["*"]', name="asks")


@pytest.fixture
def explain(local):
    """A function that explains a request of the agent to Ana, as the API returns it."""
    trials = Trials(local.services.store, local.server_policy, Evaluator(local.services.secrets))

    def ask(details=None, rules=None, **members):
        plain = {"agent": "invoice-bot", "user": "ana", "resource": PAY, "scope": READ_SCOPE}
        text = None if details is None else json.dumps(details)
        explained = trials.explain(TrialRequest(**{**plain, "details": text, **members}), rules)
        return api.explanation(explained).model_dump()

    return ask


@pytest.fixture
def dry_run(local):
    """A function that replays the last week and returns the changes."""
    replays = Replays(local.services.store, Evaluator(local.services.secrets))

    def run(rules=None):
        replay = api.replay(replays.replay(7 * DAY, rules)).model_dump()
        return replay["before"], replay["after"], replay["changes"]

    return run


@pytest.fixture
def finance(local):
    """A group of Ana, Bob and Cleo, who all have devices."""
    for name in ("bob", "cleo"):
        new_person(local, name)
    groups = Groups(local.services.store, local.services.secrets)
    return groups.add("finance", ["ana", "bob", "cleo"], by=BY)


def _set_rules(local, *rules):
    Policies(local.services.store).set("\n".join(rules), by=BY)


def _named_people(explained):
    return {
        (person["name"], person["why"], person["approves"], person["group"])
        for person in explained["people"]
    }


def test_explain_names_the_matching_standing_grant_without_using_it(local, agent, person, explain):
    """The next request then uses the standing grant that was predicted."""
    standing_grants.lower(local)
    grant = standing_grants.give(person, standing_grants.example(agent))
    payment = standing_grants.details()
    explained_twice = [explain(payment, scope=()) for _ in range(2)]
    assert explained_twice[0] == explained_twice[1]
    assert (explained_twice[0]["then"], explained_twice[0]["asks"]) == ("token", None)
    assert explained_twice[0]["standing_grant"] == {"id": grant.id, "used": 0, "uses": 3}
    assert standing_grants.reload_grant(local, grant) == grant
    answer = standing_grants.ask(agent)
    cited = json.loads(local.approval_for(answer.json["auth_req_id"]).decided_by)
    assert (cited["standing_grant"], cited["use"]) == (grant.id, 1)
    assert explain(payment, scope=())["standing_grant"]["used"] == 1


def test_explain_does_not_name_a_standing_grant_that_does_not_match(local, agent, person, explain):
    """The payee is not covered, no uses are left, or the rules require more votes."""
    standing_grants.lower(local)
    standing_grants.give(person, standing_grants.example(agent), uses=1)
    assert explain(standing_grants.details(payee="Sued"), scope=())["then"] == "person"
    two_votes = rule("ask", "ask.quorum = 2", name="two")
    assert explain(standing_grants.details(), two_votes, scope=())["standing_grant"] is None
    assert standing_grants.ask(agent).status == 200
    without_uses = explain(standing_grants.details(), scope=())
    assert (without_uses["then"], without_uses["standing_grant"]) == ("person", None)
    pending = local.approval_for(standing_grants.ask(agent).json["auth_req_id"])
    assert pending.decided_by is None


@pytest.mark.parametrize("flow", ["exchange", "client_credentials"])
def test_a_standing_grant_does_not_allow_a_token_request_without_consent(
    local, agent, person, explain, flow
):
    """An exchange and a client credentials request still need a person."""
    grant = standing_grants.give(person, agent.request_approval()[1], sum=None, vary=[])
    assert explain(rules=ALWAYS_ASK)["standing_grant"]["id"] == grant.id
    user = None if flow == "client_credentials" else "ana"
    explanation = explain(rules=ALWAYS_ASK, flow=flow, user=user)
    assert (explanation["then"], explanation["standing_grant"]) == ("person", None)
    assert local.admin.entries("approval.allowed") == []


def test_a_standing_grant_allows_an_exchange_only_with_consent(local, person, explain):
    """The token endpoint does what was predicted."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:write")
    _set_rules(local, rule("ask", 'when.scope = ["bank:*"]'))
    auth_req_id = bot.ask(scope="openid bank:write bank:read", resource=BANK).json["auth_req_id"]
    grant = standing_grants.give(person, local.approval_for(auth_req_id), sum=None, vary=[])

    def explain_exchange(scope):
        members = {"agent": "desk-bot", "resource": BANK, "flow": "exchange", "scope": (scope,)}
        return explain(**members)

    explanation = explain_exchange("bank:write")
    assert (explanation["then"], explanation["standing_grant"]["id"]) == ("token", grant.id)
    assert chains.exchange(bot, chains.user_token(), scope="bank:write").status == 200
    assert explain_exchange("bank:write")["standing_grant"]["used"] == 1
    assert explain_exchange("bank:read")["standing_grant"] is None
    refused = chains.exchange(bot, chains.user_token(), scope="bank:read")
    assert refused.refusal == (400, "interaction_required")


RULES = {
    "nobody named": ("ask.quorum = 1",),
    "two approvals": ("ask.quorum = 2",),
    "a group": ('ask.who = ["finance"]',),
    "two of a group without the requester": (
        "ask.quorum = 2",
        'ask.who = ["finance"]',
        'ask.exclude = ["user"]',
    ),
    "only another person": ('ask.who = ["bob"]',),
    "without the requester": ('ask.exclude = ["user"]',),
    "without the owner": ("ask.quorum = 1", 'ask.exclude = ["owner"]'),
}


@pytest.mark.usefixtures("person", "finance")
@pytest.mark.parametrize("name", RULES)
def test_explain_names_the_people_the_request_would_ask(local, agent, explain, name):
    """Each person is listed with the reason, the group, and whether their vote counts."""
    _set_rules(local, rule("ask", *RULES[name]))
    audience = explain()["asks"]
    _, approval = agent.request_approval()
    with local.services.store.read() as view:
        names = {user.id: user.name for user in view.users.all()}
        groups = {group.id: group.name for group in view.groups.all()}
        rows = view.approvers.list_for(approval)
    assert _named_people(audience) == {
        (names[row.user_id], row.why, row.approves, groups.get(row.group_id)) for row in rows
    }
    assert audience["quorum"] == approval.quorum


@pytest.mark.usefixtures("person", "finance")
def test_explain_predicts_refusal_when_there_are_too_few_approvers(local, agent, explain):
    """The explanation names nobody, because nobody would be asked."""
    _set_rules(local, rule("ask", "ask.quorum = 4", 'ask.who = ["finance"]'))
    explanation = explain()
    assert (explanation["then"], explanation["asks"]) == ("refused", None)
    assert agent.ask().refusal == (403, "access_denied")


@pytest.mark.usefixtures("person")
def test_explain_names_excluded_people_deputies_and_backups(local, explain, finance):
    """A backup is asked later, or immediately if the risk is critical."""
    local.admin.users.update("ana", UserChanges(backup="bob"), by=BY)
    rules = rule("ask", 'ask.who = ["finance"]', 'ask.exclude = ["user"]')
    audience = explain(rules=rules)["asks"]
    assert (audience["excluded"], audience["deputies"]) == (["ana"], [])
    assert audience["backup"] == {"name": "bob", "at_once": False}
    critical = rule("ask", 'ask.risk = "critical"', 'ask.who = ["finance"]')
    assert explain(rules=critical)["asks"]["backup"] == {"name": "bob", "at_once": True}
    local.admin.users.disable("bob", by=BY)
    assert explain(rules=rules)["asks"]["backup"] is None
    assert finance.name == "finance"


def test_explain_without_a_user_names_the_person(agent, explain, finance):
    """The person's vote counts unless a rule names other people."""
    (first,) = explain(user=None)["asks"]["people"]
    assert (first["name"], first["approves"]) == ("the person", True)
    audience = explain(user=None, rules=rule("ask", 'ask.who = ["finance"]'))["asks"]
    assert [person["approves"] for person in audience["people"]] == [False, True, True, True]
    assert agent.id
    assert len(finance.members) == 3


def test_a_standing_grant_that_decided_a_request_decides_its_replay(local, agent, person, dry_run):
    """If the other rules require more votes, people would be asked instead."""
    standing_grants.lower(local)
    standing_grants.give(person, standing_grants.example(agent), uses=1)
    local.clock.forward(MINUTE)
    standing_grants.ask(agent)
    before, after, changes = dry_run()
    assert (before, changes) == ({"ask": 1, "allow": 1}, [])
    assert after == before
    before, after, changes = dry_run(rule("ask", "ask.quorum = 2"))
    assert after == {"ask": 2}
    assert {(change["before"], change["after"], change["quorum"]) for change in changes} == {
        ("ask", "ask", 2),
        ("allow", "ask", 2),
    }


def test_a_replay_names_the_standing_grant_that_other_rules_would_use(
    local, agent, person, dry_run
):
    """The standing grant must have existed at that time and have had uses left."""
    standing_grants.lower(local)
    grant = standing_grants.give(person, standing_grants.example(agent))
    local.clock.forward(MINUTE)
    _set_rules(local, rule("ask", "ask.quorum = 2"))
    standing_grants.ask(agent)
    standing_grants.ask(agent, acr_values="urn:sayso:acr:signed")
    standing_grants.ask(agent, payee="Sued")
    _, after, changes = dry_run(rule("ask", "ask.quorum = 1"))
    assert after == {"ask": 3, "allow": 1}
    (answered,) = [change for change in changes if change["standing_grant"]]
    assert (answered["standing_grant"], answered["after"]) == (grant.id, "allow")
    others = [change for change in changes if not change["standing_grant"]]
    assert [(other["quorum_before"], other["quorum"]) for other in others] == [(2, 1), (2, 1)]
    assert {tuple(other["approvers"]) for other in others} == {("ana",)}


@pytest.mark.usefixtures("person", "finance")
def test_a_replay_names_the_people_whom_other_rules_would_ask(local, agent, dry_run):
    """The replay also shows which requests would be refused for lack of approvers."""
    agent.request_approval()
    two_votes = rule("ask", "ask.quorum = 2", 'ask.who = ["finance"]', 'ask.exclude = ["user"]')
    _, _, (change,) = dry_run(two_votes)
    assert (change["quorum_before"], change["quorum"]) == (1, 2)
    assert sorted(change["approvers"]) == ["bob", "cleo"]
    four_votes = rule("ask", "ask.quorum = 4", 'ask.who = ["finance"]')
    _, after, (refused,) = dry_run(four_votes)
    assert (after, refused["quorum"], refused["approvers"]) == ({"deny": 1}, None, [])
    _set_rules(local, four_votes)
    assert agent.ask().refusal == (403, "access_denied")
    before, _, _ = dry_run()
    assert before == {"ask": 1, "deny": 1}


@pytest.mark.usefixtures("person")
def test_a_logged_request_without_details_matches_no_standing_grant(local, agent, dry_run):
    """The audit log has only the type of its details, which is not enough to compare."""
    local.admin.actions.update(json.dumps({**PAYMENT, "risk": "low"}), by=BY)
    _set_rules(local, rule("deny", name="shut"))
    agent.ask_payment()
    before, after, _ = dry_run(rule("ask"))
    assert (before, after) == ({"deny": 1}, {"ask": 1})
