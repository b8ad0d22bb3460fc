"""Rule sets: versions, hashes, bound names, and other engines."""

import pytest

from server.protocol.policy.questions import PolicyAnswer, PolicyVersion
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.documents import InvalidPolicy
from server.services.policy.evaluation import Engine, Evaluator, PolicyRequest
from server.services.policy.policies import Policies
from server.services.resources.targets import TokenTarget
from tests.support.builders.installation import BY, PAY, add_user, register_agent
from tests.support.builders.policies import rule


@pytest.fixture
def policies(admin_services):
    """An installation with an agent that the administrator owns."""
    add_user(admin_services)
    register_agent(admin_services)
    return Policies(admin_services.store)


def test_the_default_rule_set_is_version_zero(policies):
    """The default document can be read like that of any other rule set."""
    row = policies.show()
    assert (row.version, row.set_by) == (0, "default")
    assert "[[rules]]" in row.document


def test_setting_a_rule_set_creates_a_version_and_an_entry(policies, admin_services):
    """Setting the same document again creates neither."""
    default = policies.show()
    row = policies.set(rule("deny"), by=BY)
    assert (row.version, row.document, row.set_by) == (1, rule("deny"), BY)
    assert policies.set(rule("deny"), by=BY) == row == policies.show()
    second = policies.set(rule("ask"), by=BY)
    entries = [(e["actor"], e["facts"]) for e in admin_services.entries("policy.set")]
    assert entries == [
        (BY, {"version": 1, "hash": row.hash, "was": default.hash}),
        (BY, {"version": 2, "hash": second.hash, "was": row.hash}),
    ]


def test_the_size_of_a_rule_set_is_limited_in_bytes(policies):
    """The limit of a request's body is in bytes too, so the API accepts what the service does."""
    start = rule("deny") + "\n#"
    longest = start + "\u00e9" * ((65_536 - len(start)) // 2)
    longest += "." * (65_536 - len(longest.encode()))
    assert policies.set(longest, by=BY).version == 1
    with pytest.raises(InvalidPolicy, match=r"at most 65536 bytes in UTF-8\. This has 65537\."):
        policies.set(longest + ".", by=BY)
    assert policies.show().version == 1


NAMES = {
    "an agent": ('when.agent = ["nobody"]', r"rule r: there is no agent nobody\."),
    "an owner": ('when.owner = ["nobody"]', r"rule r: there is no user nobody\."),
    "a user": ('when.user = ["admin", "eve"]', "there is no user eve"),
    "an approver": ('ask.who = ["eve"]', "there is no user or group eve"),
    "a resource": (
        'when.resource = ["https://x.example"]',
        "there is no resource https://x.example",
    ),
    "a scope": ('when.scope = ["payments:reed"]', "no scope of a resource payments:reed"),
    "a type": ('when.type = ["payment"]', "no action type payment"),
}


@pytest.mark.parametrize(("line", "message"), NAMES.values(), ids=NAMES)
def test_an_unknown_name_is_refused(policies, line, message):
    """Otherwise, a rule with a typo would silently match nothing."""
    with pytest.raises(InvalidPolicy, match=message):
        policies.set(rule("ask", line), by=BY)
    assert policies.show().version == 0


def test_a_pattern_may_match_nothing_yet(policies):
    """Records that are added later may match it."""
    lines = ('when.type = ["x*"]', 'when.scope = ["x*"]', 'when.resource = ["https://x*"]')
    assert policies.set(rule("ask", *lines), by=BY).version == 1


def _outcome(admin_services, name):
    with admin_services.store.read() as view:
        agent = view.directory.find_agent(name)
        resource = view.directory.resource(PAY)
        case = PolicyRequest("exchange", agent, None, TokenTarget(resource, ("payments:read",)))
        return Evaluator(admin_services.secrets).decide(view, case).outcome


def test_names_are_bound_when_the_rule_set_is_set(policies, admin_services):
    """The rule keeps applying to the renamed agent, not to a new agent with the old name."""
    policies.set(rule("deny", 'when.agent = ["invoice-bot"]', 'when.owner = ["admin"]'), by=BY)
    admin_services.agents.update("invoice-bot", AgentChanges(name="old-bot"), by=BY)
    register_agent(admin_services, "invoice-bot")
    assert _outcome(admin_services, "old-bot") == "deny"
    assert _outcome(admin_services, "invoice-bot") == "ask"
    first = policies.show()
    second = policies.set(first.document, by=BY)
    assert (second.version, second.document) == (2, first.document)
    assert second.hash != first.hash
    assert _outcome(admin_services, "invoice-bot") == "deny"


def test_rules_use_the_current_labels_of_an_agent(policies, admin_services):
    """Labels are not bound, because only administrators can change them."""
    policies.set(rule("deny", 'when.labels = ["pilot"]'), by=BY)
    assert _outcome(admin_services, "invoice-bot") == "ask"
    admin_services.agents.update("invoice-bot", AgentChanges(labels=("pilot",)), by=BY)
    assert _outcome(admin_services, "invoice-bot") == "deny"


def test_a_rule_set_that_cannot_be_parsed_denies(policies, admin_services):
    """After a downgrade, the stored set may have conditions that the server does not know."""
    row = policies.set(rule("allow", 'when.resource = ["*"]'), by=BY)
    assert _outcome(admin_services, "invoice-bot") == "allow"
    with admin_services.store.administer() as tx:
        tx.policies.add(
            type(row)(2, "[[rules]]\nfuture = 1", {}, {}, "other", BY, admin_services.clock.now())
        )
    assert _outcome(admin_services, "invoice-bot") == "deny"


def test_a_rule_set_is_compiled_once(policies, admin_services):
    """When a new version is set, the engine of the earlier version is dropped."""
    evaluator = Evaluator(admin_services.secrets)
    with admin_services.store.read() as view:
        agent, resource = view.directory.find_agent("invoice-bot"), view.directory.resource(PAY)
        case = PolicyRequest("exchange", agent, None, TokenTarget(resource, ("payments:transfer",)))
        assert evaluator.decide(view, case).risk is Risk.HIGH
        engine = evaluator.engines[policies.show().hash]
        evaluator.decide(view, case)
        assert evaluator.engines == {policies.show().hash: engine}
    policies.set(rule("deny"), by=BY)
    with admin_services.store.read() as view:
        assert evaluator.decide(view, case).outcome == "deny"
    assert list(evaluator.engines) == [policies.show().hash]


class _OtherEngine:
    """An engine that allows low risk and nothing else."""

    def answer(self, question, approvals):
        return PolicyAnswer(question.risk is Risk.LOW, ("theirs",), f"{approvals.count} said yes")


def test_another_engine_can_replace_the_built_in_one(policies, admin_services):
    """The replacement answers the same questions, and its version is in the verdicts."""
    policies.set(rule("deny"), by=BY)
    evaluator = Evaluator(
        admin_services.secrets, engine_override=Engine(_OtherEngine(), PolicyVersion(7, "theirs"))
    )
    with admin_services.store.read() as view:
        agent, resource = view.directory.find_agent("invoice-bot"), view.directory.resource(PAY)
        verdicts = {
            scope: evaluator.decide(
                view, PolicyRequest("exchange", agent, None, TokenTarget(resource, (scope,)))
            )
            for scope in ("payments:read", "payments:transfer")
        }
    assert {scope: verdict.outcome for scope, verdict in verdicts.items()} == {
        "payments:read": "allow",
        "payments:transfer": "deny",
    }
    assert {item.source.version for item in verdicts.values()} == {7}
