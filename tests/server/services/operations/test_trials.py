"""Policy trials: one case explained, and tables of cases compared with the rules."""

import json
from dataclasses import replace

import pytest

from server.protocol.approvals.ceremonies import CONFIRM, Step
from server.protocol.names import ACR_SIGNED, ACR_SIGNED_PIN
from server.protocol.policy.risks import Risk
from server.services.operations.trials import TrialRequest, Trials
from server.services.policy.documents import InvalidPolicy
from server.services.policy.evaluation import Evaluator
from server.services.policy.policies import Policies
from server.services.refusals import Invalid, NotFound
from server.services.resources.resources import ResourceChanges
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.builders.token_chains import BANK
from tests.support.clients.agent import PAYMENT_DETAILS

DETAILS = json.dumps(PAYMENT_DETAILS)


@pytest.fixture
def trials(local):
    """Trials for the prepared installation."""
    return Trials(local.services.store, local.server_policy, Evaluator(local.services.secrets))


def test_explain_returns_the_rule_the_ceremony_and_the_token(trials, agent, local):
    """Explaining a case stores nothing."""
    explanation = trials.explain(
        TrialRequest("invoice-bot", "request", "ana", PAY, ("payments:transfer",), DETAILS)
    )
    assert (explanation.next_step, explanation.verdict.outcome, explanation.consent) == (
        "person",
        "ask",
        None,
    )
    assert [matched_rule.id for matched_rule in explanation.rules] == ["high-risk"]
    assert (explanation.verdict.requirements.ceremony, explanation.seconds) == (
        frozenset({Step.PIN}),
        300,
    )
    assert explanation.token["act"]["sub"] == agent.id
    assert explanation.token["authorization_details"] == PAYMENT_DETAILS
    assert (explanation.token["aud"], explanation.token["scope"]) == (PAY, "payments:transfer")
    assert not {"jti", "iat", "exp"} & set(explanation.token)
    for_agent_itself = trials.explain(
        TrialRequest("invoice-bot", "client_credentials", scope=("payments:read",))
    )
    assert (for_agent_itself.next_step, for_agent_itself.token["sub"]) == ("token", agent.id)
    assert local.admin.entries("policy.set") == []


def test_explain_honors_acr_values(trials, agent, chains):
    """With `acr_values`, a consent is not enough, and the PIN is required if the acr needs it."""
    chains.consent(agent, "payments:read", resource=PAY)
    case = TrialRequest("invoice-bot", "request", "ana", PAY, ("payments:read",))
    allowed = rule("allow", 'when.scope = ["payments:read"]')
    explanation = trials.explain(case, allowed)
    assert (explanation.next_step, explanation.consent, explanation.audience) == (
        "token",
        True,
        None,
    )
    for acr, ceremony in ((ACR_SIGNED, CONFIRM), (ACR_SIGNED_PIN, frozenset({Step.PIN}))):
        explanation = trials.explain(replace(case, acr=acr), allowed)
        assert (explanation.next_step, explanation.consent) == ("person", None)
        assert explanation.verdict.requirements.ceremony == ceremony
        assert [person.name for person in explanation.audience.people] == ["ana"]


@pytest.mark.usefixtures("agent")
def test_explain_accepts_a_rule_set_that_is_not_in_force(trials):
    """The rule set is validated and not stored."""
    case = TrialRequest("invoice-bot", "client_credentials", scope=("payments:read",))
    explanation = trials.explain(case, rule("deny", name="closed"))
    assert (explanation.next_step, explanation.token, explanation.verdict.rules) == (
        "refused",
        None,
        ("closed",),
    )
    assert explanation.verdict.source.version == 1
    with pytest.raises(InvalidPolicy, match="no agent eve"):
        trials.explain(case, rule("deny", 'when.agent = ["eve"]'))
    assert trials.explain(case).next_step == "token"


@pytest.mark.usefixtures("agent")
def test_an_unreadable_rule_set_is_explained_as_a_denial(trials, local):
    """The denial names the rule `policy-error` instead of a rule from the set."""
    row = Policies(local.services.store).set(rule("ask"), by=BY)
    with local.services.store.administer() as tx:
        tx.policies.add(type(row)(2, "rules = 7", {}, {}, "x", BY, 0))
    explanation = trials.explain(
        TrialRequest("invoice-bot", "client_credentials", scope=("payments:read",))
    )
    assert (explanation.next_step, explanation.verdict.rules, explanation.rules) == (
        "refused",
        ("policy-error",),
        (),
    )


def test_explain_predicts_that_an_exchange_without_consent_asks(trials, chains):
    """If the person consented to the scope, a token is predicted instead."""
    bot = chains.agent("desk-bot")
    case = TrialRequest("desk-bot", "exchange", "ana", BANK, ("bank:read",))
    explanation = trials.explain(case)
    assert (explanation.verdict.outcome, explanation.next_step, explanation.consent) == (
        "allow",
        "person",
        False,
    )
    chains.consent(bot, "bank:read")
    explanation = trials.explain(case)
    assert (explanation.next_step, explanation.consent) == ("token", True)


@pytest.mark.usefixtures("agent", "person")
def test_explain_predicts_the_refusal_of_critical_requests(trials, local):
    """Critical requests need two eligible approvers."""
    critical = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    local.admin.resources.update(PAY, critical, by=BY)
    case = TrialRequest("invoice-bot", "request", "ana", PAY, ("payments:transfer",), DETAILS)
    assert trials.explain(case).next_step == "person"
    case = replace(case, user="admin")
    assert trials.explain(case).next_step == "refused"
    assert (
        trials.explain(
            case, rule("ask", "ask.quorum = 1", 'when.risk.at_least = "critical"')
        ).next_step
        == "person"
    )


BAD_CASES = {
    "no such agent": (TrialRequest("eve"), NotFound, "no agent eve"),
    "no such user": (TrialRequest("invoice-bot", "request", "eve"), NotFound, "eve"),
    "an unknown flow": (TrialRequest("invoice-bot", "push"), Invalid, "Use one of: request"),
    "an acr at /token": (
        TrialRequest("invoice-bot", "client_credentials", acr=ACR_SIGNED),
        Invalid,
        "`acr` is only for",
    ),
    "an exchange without a user": (
        TrialRequest("invoice-bot", "exchange"),
        Invalid,
        "needs a user",
    ),
    "a user for client credentials": (
        TrialRequest("invoice-bot", "client_credentials", "ana"),
        Invalid,
        "has no user",
    ),
    "a scope outside the permissions": (
        TrialRequest("invoice-bot", "request", "ana", PAY, ("payments:delete",)),
        Invalid,
        "invalid_scope: ",
    ),
    "details of no type": (
        TrialRequest("invoice-bot", "request", "ana", PAY, (), '[{"type": "x"}]'),
        Invalid,
        "invalid_authorization_details: ",
    ),
    "no details": (
        TrialRequest("invoice-bot", "request", "ana", PAY, (), "{"),
        Invalid,
        "invalid_authorization_details: ",
    ),
}


@pytest.mark.usefixtures("agent", "person")
@pytest.mark.parametrize(("case", "kind", "message"), BAD_CASES.values(), ids=BAD_CASES)
def test_explain_refuses_an_impossible_case(trials, case, kind, message):
    """The error is the same as the one from the endpoint."""
    with pytest.raises(kind, match=message):
        trials.explain(case)


TABLE = """
[[cases]]
name = "reading alone"
agent = "invoice-bot"
flow = "client_credentials"
scope = ["payments:read"]
expect = "allow"
rules = ["usual-access"]
risk = "low"

[[cases]]
agent = "invoice-bot"
user = "ana"
scope = ["payments:transfer"]
details = [{ type = "payment.transfer", amount = { minor = 5, currency = "EUR" }, payee = "Nord" }]
at = 2026-11-26T12:00:00Z
history = { known = ["resource", "scope", "/payee"], tokens = 7, unusual = ["large_amount"] }
expect = "ask"
ceremony = "pin"
"""


@pytest.mark.usefixtures("agent", "person")
def test_a_table_of_cases_is_compared_with_the_rules(trials):
    """Only the expected members are compared; a case without a name gets a number."""
    results = trials.test(TABLE)
    assert [(result.name, result.passed) for result in results] == [
        ("reading alone", True),
        ("case 2", True),
    ]
    assert results[0].expected == {"expect": "allow", "rules": ["usual-access"], "risk": "low"}
    denied_results = trials.test(TABLE, rule("deny", name="closed"))
    assert [result.passed for result in denied_results] == [False, False]
    assert denied_results[0].found["rules"] == ["closed"]


@pytest.mark.usefixtures("agent", "person")
@pytest.mark.parametrize(
    ("line", "outcomes"),
    [
        ('when.count = { over = 7, within = "1h" }', ["ask", "deny"]),
        ('when.first_time = ["resource", "/payee"]', ["deny", "ask"]),
        ('when.unusual = ["new_agent", "large_amount"]', ["ask", "deny"]),
        ('when.known = ["resource", "scope", "/payee"]', ["ask", "deny"]),
        (
            'when.outside = { from = "12:00", to = "12:01", days = ["thu"], zone = "UTC" }',
            ["deny", "ask"],
        ),
    ],
)
def test_a_table_may_contain_its_own_history_and_time(trials, line, outcomes):
    """The results of the table do not change over time."""
    results = trials.test(TABLE, rule("deny", line))
    assert [result.found["expect"] for result in results] == outcomes


@pytest.mark.usefixtures("agent", "person")
def test_an_impossible_case_fails_and_the_others_are_compared(trials):
    """The result of the impossible case has the error message."""
    results = trials.test('[[cases]]\nagent = "eve"\nexpect = "ask"\n' + TABLE)
    assert [result.passed for result in results] == [False, True, True]
    assert "no agent eve" in results[0].problem


CASE = '[[cases]]\nagent = "invoice-bot"\nuser = "ana"\nscope = ["payments:read"]\nexpect = "ask"\n'
BAD_TABLES = {
    "not TOML": ("cases = [", "not TOML"),
    "nested arrays": ("cases = " + "[" * 5_000, "nested too deeply"),
    "an empty table": ("", "at least one"),
    "another table": (CASE + "[other]\nx = 1", "only \\[\\[cases"),
    "too many": ("cases = [" + "{}," * 1_001 + "]", "at most 1000"),
    "a case that is a number": ("cases = [1]", "case 1: must be a table"),
    "an unknown member": (CASE + "why = 1", "case 1: unknown member why"),
    "no expectation": ('[[cases]]\nagent = "x"', "case 1: expect must be"),
    "an expectation that is a list": ('[[cases]]\nagent = "x"\nexpect = []', "expect must be"),
    "an expectation that is a table": ('[[cases]]\nagent = "x"\nexpect = {}', "expect must be"),
    "no agent": ('[[cases]]\nexpect = "ask"', "case 1: agent is missing"),
    "a user who is a number": (
        '[[cases]]\nagent = "x"\nexpect = "ask"\nuser = 1',
        "must be a string",
    ),
    "a scope that is a string": (
        '[[cases]]\nagent = "x"\nexpect = "ask"\nscope = "a"',
        "list of strings",
    ),
    "a date in the details": (CASE + "details = [2026-11-26]", "Quote dates"),
    "a time without a zone": (CASE + "at = 2026-11-26T12:00:00", "a time with a zone"),
    "an unknown history member": (
        CASE + "history = { since = 1 }",
        "only `known`, `tokens` and `unusual`",
    ),
    "an unknown signal": (
        CASE + 'history = { unusual = ["amount"] }',
        "unusual may have only new_agent, ",
    ),
    "an invalid number": (CASE + 'history = { tokens = "many" }', "tokens must be a number"),
}


@pytest.mark.usefixtures("agent", "person")
@pytest.mark.parametrize(("table", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_an_invalid_table_is_refused_with_its_case(trials, table, message):
    """The table is refused before any of its cases is evaluated."""
    with pytest.raises(Invalid, match=message):
        trials.test(table)
