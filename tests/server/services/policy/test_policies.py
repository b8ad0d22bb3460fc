"""Rule sets are versions with a hash, and their names keep what they meant."""

import pytest

from server.protocol.policy.questions import PolicyAnswer, PolicyVersion
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.documents import InvalidPolicy
from server.services.policy.judging import Engine, Judge, JudgedRequest
from server.services.policy.policies import Policies
from server.services.resources.targets import TokenTarget
from tests.support.builders.installation import BY, PAY, admitted, registered
from tests.support.builders.policies import rule


@pytest.fixture
def policies(desk):
    """An installation with an agent of the administrator's."""
    admitted(desk)
    registered(desk)
    return Policies(desk.store)


def test_until_one_is_set_the_default_is_in_force(policies):
    """Version 0, whose document can be read like any other."""
    row = policies.show()
    assert (row.version, row.set_by) == (0, "default")
    assert "[[rules]]" in row.document
    assert policies.versions() == [row]


def test_setting_one_is_a_version_an_entry_and_in_force_at_once(policies, desk):
    """The same again changes nothing."""
    default = policies.show()
    row = policies.set(rule("deny"), by=BY)
    assert (row.version, row.document, row.set_by) == (1, rule("deny"), BY)
    assert policies.set(rule("deny"), by=BY) == row == policies.show()
    second = policies.set(rule("ask"), by=BY)
    assert policies.versions() == [second, row, default]
    told = [(e["actor"], e["facts"]) for e in desk.entries("policy.set")]
    assert told == [
        (BY, {"version": 1, "hash": row.hash, "was": default.hash}),
        (BY, {"version": 2, "hash": second.hash, "was": row.hash}),
    ]


NAMES = {
    "an agent": ('when.agent = ["nobody"]', r"rule r: there is no agent nobody\."),
    "an owner": ('when.owner = ["nobody"]', r"rule r: there is no user nobody\."),
    "a user": ('when.user = ["admin", "eve"]', "there is no user eve"),
    "somebody to ask": ('ask.who = ["eve"]', "there is no user or group eve"),
    "a resource": (
        'when.resource = ["https://x.example"]',
        "there is no resource https://x.example",
    ),
    "a scope": ('when.scope = ["payments:reed"]', "no scope of a resource payments:reed"),
    "a type": ('when.type = ["payment"]', "no action type payment"),
}


@pytest.mark.parametrize(("line", "remedy"), NAMES.values(), ids=NAMES)
def test_a_name_that_means_nothing_is_refused(policies, line, remedy):
    """A rule with a typing error would fit nothing, and nobody would know."""
    with pytest.raises(InvalidPolicy, match=remedy):
        policies.set(rule("ask", line), by=BY)
    assert policies.show().version == 0


def test_a_pattern_need_not_fit_anything_yet(policies):
    """It is about what may come."""
    lines = ('when.type = ["x*"]', 'when.scope = ["x*"]', 'when.resource = ["https://x*"]')
    assert policies.set(rule("ask", *lines), by=BY).version == 1


def _outcome(desk, name):
    with desk.store.read() as view:
        agent = view.directory.agent_called(name)
        resource = view.directory.resource(PAY)
        case = JudgedRequest("exchange", agent, None, TokenTarget(resource, ("payments:read",)))
        return Judge(desk.secrets).decide(view, case).outcome


def test_a_name_means_whom_it_meant_when_the_rule_was_set(policies, desk):
    """Whoever is called so later has not been judged by anybody."""
    policies.set(rule("deny", 'when.agent = ["invoice-bot"]', 'when.owner = ["admin"]'), by=BY)
    desk.agents.update("invoice-bot", AgentChanges(name="old-bot"), by=BY)
    registered(desk, "invoice-bot")
    assert _outcome(desk, "old-bot") == "deny"
    assert _outcome(desk, "invoice-bot") == "ask"
    first = policies.show()
    second = policies.set(first.document, by=BY)
    assert (second.version, second.document) == (2, first.document)
    assert second.hash != first.hash
    assert _outcome(desk, "invoice-bot") == "deny"


def test_labels_are_the_agents_own_now(policies, desk):
    """They are changed by administrators alone."""
    policies.set(rule("deny", 'when.labels = ["pilot"]'), by=BY)
    assert _outcome(desk, "invoice-bot") == "ask"
    desk.agents.update("invoice-bot", AgentChanges(labels=("pilot",)), by=BY)
    assert _outcome(desk, "invoice-bot") == "deny"


def test_a_rule_set_that_cannot_be_read_never_allows(policies, desk):
    """As after a step back to an older program."""
    row = policies.set(rule("allow", 'when.resource = ["*"]'), by=BY)
    assert _outcome(desk, "invoice-bot") == "allow"
    with desk.store.administer() as tx:
        tx.policies.add(
            type(row)(2, "[[rules]]\nfuture = 1", {}, {}, "other", BY, desk.clock.now())
        )
    assert _outcome(desk, "invoice-bot") == "deny"


def test_a_rule_set_is_compiled_once(policies, desk):
    """And the one before it is forgotten."""
    judge = Judge(desk.secrets)
    with desk.store.read() as view:
        agent, resource = view.directory.agent_called("invoice-bot"), view.directory.resource(PAY)
        case = JudgedRequest("exchange", agent, None, TokenTarget(resource, ("payments:transfer",)))
        assert judge.decide(view, case).risk is Risk.HIGH
        made = judge.engines[policies.show().hash]
        judge.decide(view, case)
        assert judge.engines == {policies.show().hash: made}
    policies.set(rule("deny"), by=BY)
    with desk.store.read() as view:
        assert judge.decide(view, case).outcome == "deny"
    assert list(judge.engines) == [policies.show().hash]


class _NotOurs:
    """An engine of somebody else: it allows what is low, and nothing else whoever says yes."""

    def answer(self, question, approvals):
        return PolicyAnswer(question.risk is Risk.LOW, ("theirs",), f"{approvals.count} said yes")


def test_another_engine_can_stand_in_for_ours(policies, desk):
    """It is asked the same questions, and its answers count the same."""
    policies.set(rule("deny"), by=BY)
    judge = Judge(desk.secrets, instead=Engine(_NotOurs(), PolicyVersion(7, "theirs")))
    with desk.store.read() as view:
        agent, resource = view.directory.agent_called("invoice-bot"), view.directory.resource(PAY)
        found = {
            scope: judge.decide(
                view, JudgedRequest("exchange", agent, None, TokenTarget(resource, (scope,)))
            )
            for scope in ("payments:read", "payments:transfer")
        }
    assert {scope: one.outcome for scope, one in found.items()} == {
        "payments:read": "allow",
        "payments:transfer": "deny",
    }
    assert {one.source.version for one in found.values()} == {7}
