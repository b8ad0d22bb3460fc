"""The rules and cases in the policy documentation do what the pages say."""

import re
import tomllib
from pathlib import Path

import pytest

from server.services.approvers.groups import Groups
from server.services.clients.agent_forms import AgentChanges
from server.services.operations.trials import Trials
from server.services.policy import builtin_action_types
from server.services.policy.evaluation import Evaluator
from server.services.policy.policies import Policies
from server.services.users.users import NewUser
from tests.support.builders.installation import BY, PAY

DOCS = Path(__file__).parents[4] / "docs"
PAGES = "".join((DOCS / name).read_text("utf-8") for name in ("policy.md", "policy-approvers.md"))
BLOCKS = re.findall(r"^```toml\n(.*?)^```", PAGES, re.DOTALL | re.MULTILINE)
RULES = [block for block in BLOCKS if "[[rules]]" in block]
TABLES = [block for block in BLOCKS if "[[cases]]" in block]
DAY, NIGHT = "2026-11-26T12:00:00Z", "2026-11-26T22:00:00Z"
PAYMENT = (
    'details = [{ type = "payment.transfer", amount = { minor = 4200, currency = "EUR" }, '
    'payee = "Nordwind", account = "DE89370400440532013000" }]'
)
CHANGE = (
    'details = [{ type = "payee.change", payee = "Nordwind", old_account = "DE8937040044", '
    'new_account = "LT1210000111", asked_by = "a@nord.example", channel = "e-mail" }]'
)
KNOWN_PAYEE = 'history = { known = ["/payee"], tokens = 3 }'
CASES = {
    "new-payee": ("ask", PAYMENT, DAY, ""),
    "small-change": ("allow", PAYMENT, DAY, KNOWN_PAYEE),
    "not-at-night": ("deny", PAYMENT, NIGHT, KNOWN_PAYEE),
    "payee-changes": ("ask", CHANGE, DAY, ""),
}
"""For each rule: its outcome, and the details, time and history of its case."""


def _rule_ids(block):
    return [rule["id"] for rule in tomllib.loads(block)["rules"]]


@pytest.fixture
def trials(local, agent, person):
    """Trials for an installation with the built-in types, a group and a labeled agent."""
    assert person.user.name == "ana"
    local.admin.actions.update(builtin_action_types.document("payment.transfer"), by=BY)
    local.admin.actions.add(builtin_action_types.document("payee.change"), by=BY)
    local.admin.users.add(NewUser("ben"), by=BY)
    Groups(local.admin.store, local.admin.secrets).add("finance", ["ben", "admin"], by=BY)
    local.admin.agents.update(agent.id, AgentChanges(labels=("team=finance",)), by=BY)
    return Trials(local.services.store, local.server_policy, Evaluator(local.services.secrets))


def _case(rule):
    outcome, details, at, history = CASES[rule]
    lines = (
        "[[cases]]",
        'agent = "invoice-bot"',
        'user = "ana"',
        f'resource = "{PAY}"',
        'scope = ["payments:transfer"]',
        details,
        f"at = {at}",
        history,
        f'expect = "{outcome}"',
        f'rules = ["{rule}"]',
    )
    return "\n".join(lines)


@pytest.mark.parametrize("rule", [name for block in RULES for name in _rule_ids(block)])
def test_every_documented_rule_applies_to_its_case(trials, rule):
    """The rules are tested with the built-in action types and their own risks."""
    (block,) = (candidate for candidate in RULES if rule in _rule_ids(candidate))
    Policies(trials.store).set(block, by=BY)
    (result,) = trials.test(_case(rule))
    assert result.passed, result


def test_the_documented_cases_pass_with_the_documented_rules(trials):
    """A reader can copy both the rules and the cases."""
    Policies(trials.store).set(RULES[0], by=BY)
    (table,) = TABLES
    for result in trials.test(table):
        assert result.passed, result
