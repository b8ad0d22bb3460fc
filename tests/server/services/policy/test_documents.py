"""Parsing rule sets: every error names the rule and the remedy."""

from datetime import time

import pytest

from server.model.policy import Hours
from server.model.policy_rules import Amount, AskTerms, Count, When
from server.protocol.approvals.ceremonies import Step
from server.protocol.approvals.unusual import Code
from server.protocol.policy.risks import Risk
from server.services.policy import builtin, documents
from server.services.policy.documents import InvalidPolicy
from tests.support.builders.policies import rule


def _when(*lines, outcome="ask"):
    return documents.parse_policy(rule(outcome, *lines)).rules[0].when


CONDITIONS = {
    'when.at = ["exchange"]': {"at": ("exchange",)},
    'when.agent = ["bot"]': {"agent": ("bot",)},
    'when.labels = ["team=finance"]': {"labels": ("team=finance",)},
    'when.owner = ["ana"]': {"owner": ("ana",)},
    'when.user = ["ana", "ben"]': {"user": ("ana", "ben")},
    'when.resource = ["https://*.example"]': {"resource": ("https://*.example",)},
    'when.scope = ["pay*"]': {"scope": ("pay*",)},
    'when.type = ["payment.transfer"]': {"type": ("payment.transfer",)},
    'when.risk.at_least = "high"': {"at_least": Risk.HIGH},
    'when.risk.at_most = "low"': {"at_most": Risk.LOW},
    'when.amount = { currency = "EUR", over = 100 }': {"amount": Amount("EUR", 100, None)},
    'when.amount = { currency = "EUR", at_most = 0 }': {"amount": Amount("EUR", None, 0)},
    'when.during = { from = "08:30", to = "24:00", days = ["mon"], zone = "UTC" }': {
        "during": Hours(time(8, 30), time(), (0,), "UTC")
    },
    'when.outside = { zone = "Europe/Berlin" }': {
        "outside": Hours(time(), time(), (0, 1, 2, 3, 4, 5, 6), "Europe/Berlin")
    },
    'when.first_time = ["resource", "/payee"]': {"first_time": ("resource", "/payee")},
    'when.known = ["scope"]': {"known": ("scope",)},
    'when.unusual = ["new_target", "unusual_hour"]': {
        "unusual": (Code.NEW_TARGET, Code.UNUSUAL_HOUR)
    },
    'when.count = { over = 10, within = "1h" }': {"count": Count(3_600_000, 10, None)},
    'when.count = { at_most = 2, within = "7d" }': {"count": Count(604_800_000, None, 2)},
}


@pytest.mark.parametrize(("line", "members"), CONDITIONS.items(), ids=CONDITIONS)
def test_every_condition_is_parsed(line, members):
    """Conditions that a rule omits do not restrict it."""
    assert _when(line) == When(**members)


def test_the_terms_of_an_ask_rule_are_parsed():
    """Durations are stored in seconds."""
    lines = ('ask.risk = "high"', 'ask.ceremony = "pin"', "ask.quorum = 2", 'ask.who = ["ana"]')
    more_lines = ('ask.exclude = ["user", "owner"]', 'ask.ttl = "5m"')
    terms = documents.parse_policy(rule("ask", *lines, *more_lines)).rules[0].ask
    assert terms == AskTerms(Risk.HIGH, frozenset({Step.PIN}), 2, ("ana",), ("user", "owner"), 300)


BAD_RULES = {
    'when.agents = ["x"]': "rule r: when.agents: is unknown. Allowed: .*agent",
    "when = 1": "rule r: when: must be a table",
    'when.at = ["push"]': "rule r: when.at: must be one of request",
    'when.agent = "bot"': "rule r: when.agent: must be a list",
    "when.agent = []": "list of 1 to 100",
    "when.agent = [1]": "must be a string",
    'when.agent = [""]': "1 to 256 characters",
    'when.labels = ["Team"]': "rule r: when.labels: must be labels such as",
    'when.risk = "high"': "when.risk: must be a table",
    'when.risk.at_least = "huge"': "must be one of low, medium, high, critical",
    "when.risk = { at_least = 'high', at_most = 'low' }": "at_most is low, so the rule never",
    "when.risk = { over = 'low' }": "over: is unknown",
    "when.amount = 5": "must be a table",
    "when.amount = { over = 5 }": "currency: is missing",
    "when.amount = { currency = 'euro', over = 5 }": "three-letter code",
    "when.amount = { currency = 'EUR' }": "must have exactly one of over and at_most",
    "when.amount = { currency = 'EUR', over = 1, at_most = 2 }": "exactly one of over",
    "when.amount = { currency = 'EUR', over = 1.5 }": "whole number from 0",
    "when.amount = { currency = 'EUR', over = true }": "whole number",
    "when.amount = { currency = 'EUR', over = 1, minor = 2 }": "minor: is unknown",
    "when.count = { over = 1 }": "within: is missing",
    "when.count = { over = 1, within = '90d' }": "at most 31d",
    "when.count = { over = 0, within = '1d' }": "whole number from 1 to 1000",
    "when.count = { over = 1, within = 'a day' }": "must be a duration",
    "when.during = { from = '8' , zone = 'UTC' }": 'must be a time such as "08:00"',
    "when.during = { from = '08:00' }": "zone: is missing",
    "when.during = { zone = 'Mars/Base' }": "is not a known time zone. Use one such as",
    "when.during = { zone = '../etc' }": "is not a known time zone",
    "when.during = { zone = 'UTC', days = ['monday'] }": "must be one of mon",
    'when.first_time = ["payee"]': "JSON pointer",
    'when.unusual = ["amount"]': "unusual: must be one of new_agent, .*large_amount",
    'ask.risk = "none"': "must be one of low",
    'ask.ceremony = "second_person"': "to require a second person, use quorum = 2",
    'ask.ceremony = ["pin", 7]': "must be one of confirm, match, pin, reason, type_back",
    "ask.ceremony = []": "must be a list of 1 to",
    'ask.ceremony = "dance"': "must be one of confirm, match, pin, reason, type_back",
    "ask.quorum = 0": "rule r: ask.quorum: must be a whole number from 1 to 10",
    "ask.quorum = 11": "rule r: ask.quorum: must be a whole number from 1 to 10",
    'ask.exclude = ["agent"]': "rule r: ask.exclude: must be one of user, owner",
    'ask.ttl = "1s"': "must be from 30s to 1d",
    "ask.who = []": "list of 1 to 100",
    "ask.minutes = 3": "minutes: is unknown",
    'extra = "x"': "rule r: extra: is unknown",
}


@pytest.mark.parametrize(("line", "remedy"), BAD_RULES.items(), ids=BAD_RULES)
def test_the_error_for_an_invalid_member_names_the_rule_and_the_remedy(line, remedy):
    """If the server ignored the member, the rule would do something else."""
    with pytest.raises(InvalidPolicy, match=remedy):
        documents.parse_policy(rule("ask", line))


BAD_OUTCOMES = {
    "an unknown outcome": (rule("maybe"), "outcome: must be one of allow, ask, deny"),
    "ask terms in a rule that does not ask": (
        rule("deny", 'ask.risk = "high"'),
        'is allowed only with outcome = "ask"',
    ),
    "allowing everything": (rule("allow"), 'a rule with outcome = "allow" needs a condition'),
    "allowing new values": (
        rule("allow", 'when.first_time = ["resource"]'),
        "use `known`",
    ),
    "allowing an app's actions": (
        rule("allow", 'when.at = ["request", "app"]'),
        'at: app actions are always signed; use outcome = "ask" or "deny"',
    ),
    "an agent condition for an app": (
        rule("ask", 'when.at = ["app"]', 'when.count = { over = 1, within = "1h" }'),
        "count: applies only to agents; write a separate rule for app",
    ),
    "allowing unusual requests": (
        rule("allow", 'when.unusual = ["new_agent"]'),
        'unusual: is not allowed with outcome = "allow"; use outcome = "ask"',
    ),
    "allowing high risk without saying so": (
        rule("allow", 'when.risk.at_least = "high"'),
        "at_most is medium, so the rule never applies; raise it",
    ),
}


@pytest.mark.parametrize(("text", "remedy"), BAD_OUTCOMES.values(), ids=BAD_OUTCOMES)
def test_members_that_contradict_the_outcome_are_refused(text, remedy):
    """Each outcome has its own conditions and terms; an allow rule must be exact."""
    with pytest.raises(InvalidPolicy, match=remedy):
        documents.parse_policy(text)


DOCUMENTS = {
    "nested arrays": ("rules = " + "[" * 5_000, "nested too deeply"),
    "a number of 5,000 digits": (f"rules = {'9' * 5_000}", "a number is too long"),
    "not TOML": ("rules = [", "is not TOML"),
    "an empty file": ("", "at least one"),
    "another table": ('[[rules]]\n[server]\nx = "y"', "contains only"),
    "rules as a table": ("[rules]", "contains only"),
    "no rule": ("rules = []", "1 to 200 rules"),
    "too many": ("\n".join(rule("deny", name=f"r{n}") for n in range(201)), "1 to 200 rules"),
    "a rule that is a number": ("rules = [1]", "rule 1: must be a table"),
    "no id": ('[[rules]]\noutcome = "deny"', "rule 1: id: is missing"),
    "no reason": ('[[rules]]\nid = "a"\noutcome = "deny"', "rule a: because: is missing"),
    "an invalid id": (rule("deny", name="A!"), "characters of a-z 0-9 and -"),
    "a duplicate id": (rule("deny") + rule("ask"), "rule r: the ID is used twice"),
    "a hidden character": (rule("deny", because="a\u202eb"), "plain text"),
}


@pytest.mark.parametrize(("text", "remedy"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_an_invalid_rule_set_is_refused(text, remedy):
    """The error says what is wrong and, where it can, in which rule."""
    with pytest.raises(InvalidPolicy, match=remedy):
        documents.parse_policy(text)


def test_the_default_rules_can_be_parsed():
    """The default rules do not name any agent or user."""
    row = builtin.default_row()
    assert (row.version, row.agents, row.users) == (0, {}, {})
    document = documents.parse_policy(row.document)
    assert [parsed_rule.id for parsed_rule in document.rules] == ["high-risk", "usual-access"]
    assert not any(documents.names_in(document).values())
