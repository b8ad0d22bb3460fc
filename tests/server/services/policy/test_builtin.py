"""The built-in policy engine: how a rule matches a question, and how matching rules combine."""

import pytest

from server.protocol.approvals.ceremonies import CONFIRM, Step
from server.protocol.approvals.unusual import Code
from server.protocol.policy import uses
from server.protocol.policy.questions import NO_APPROVALS, Approvals, decide
from server.protocol.policy.risks import Risk
from server.services.policy import builtin
from tests.support.builders.policies import (
    NOON,
    SOURCE,
    KnownHistory,
    engine,
    payment,
    question,
    rule,
    verdict,
)

PIN = frozenset({Step.PIN})

HOUR = 3_600_000


def _payees(*payees):
    """A payment whose details list these payees."""
    return {**payment(), "details": ({"type": "payment", "payees": list(payees)},)}


def _with_detail(detail):
    """A payment with a second detail."""
    return {**payment(), "details": (*payment()["details"], detail)}


KNOWN_PAYEE_IN_LIST = uses.uses_at(
    uses.leaves(_payees({"name": "Nord"})["details"]), "/payees/*/name"
)[0]
KNOWN_PAYEE = uses.uses_at(uses.leaves(payment()["details"]), "/payee")[0]

MATCH = {
    "a flow": ('when.at = ["request"]', {}),
    "an agent": ('when.agent = ["other", "bot"]', {}),
    "all labels": ('when.labels = ["pilot", "team=finance"]', {}),
    "an owner": ('when.owner = ["ana", "eve"]', {}),
    "a user": ('when.user = ["ana"]', {}),
    "a resource": ('when.resource = ["https://pay.example"]', {}),
    "a pattern of resources": ('when.resource = ["https://*.example"]', {}),
    "one of several patterns": ('when.resource = ["x", "https://pay.*", "y*"]', {}),
    "a scope": ('when.scope = ["read"]', {}),
    "any of the scopes": (
        'when.scope = ["write"]',
        {"scopes": dict.fromkeys(["read", "write"], Risk.LOW)},
    ),
    "a type": ('when.type = ["pay*"]', payment()),
    "enough risk": ('when.risk.at_least = "low"', {}),
    "not too much risk": ('when.risk.at_most = "low"', {}),
    "a higher amount": ('when.amount = { currency = "EUR", over = 4999 }', payment()),
    "at most an amount": ('when.amount = { currency = "EUR", at_most = 5000 }', payment()),
    "the hour": ('when.during = { from = "12:00", to = "12:01", zone = "UTC" }', {}),
    "the hour in another zone": (
        'when.during = { from = "13:00", to = "14:00", zone = "Europe/Berlin" }',
        {},
    ),
    "a whole day": ('when.during = { days = ["thu"], zone = "UTC" }', {}),
    "the rest of a day": ('when.during = { from = "09:00", zone = "UTC" }', {}),
    "over midnight": (
        'when.during = { from = "20:00", to = "13:00", days = ["wed"], zone = "UTC" }',
        {},
    ),
    "before midnight": (
        'when.during = { from = "11:00", to = "02:00", days = ["thu"], zone = "UTC" }',
        {},
    ),
    "outside": ('when.outside = { from = "13:00", to = "14:00", zone = "UTC" }', {}),
    "a new resource": ('when.first_time = ["resource"]', {}),
    "a new scope": ('when.first_time = ["scope"]', {}),
    "a new payee": (
        'when.first_time = ["resource", "/payee"]',
        {**payment(), "history": KnownHistory({"resource https://pay.example": 1})},
    ),
    "a known payee": (
        'when.known = ["/payee"]',
        {**payment(), "history": KnownHistory({KNOWN_PAYEE: 1})},
    ),
    "known payees everywhere": (
        'when.known = ["/payee"]',
        {**_with_detail(payment()["details"][0]), "history": KnownHistory({KNOWN_PAYEE: 1})},
    ),
    "known payees in a list": (
        'when.known = ["/payees/*/name"]',
        {**_payees({"name": "Nord"}), "history": KnownHistory({KNOWN_PAYEE_IN_LIST: 1})},
    ),
    "one new payee and a detail without one": (
        'when.first_time = ["/payee"]',
        _with_detail({"type": "refund"}),
    ),
    "too many tokens": (
        'when.count = { over = 3, within = "1h" }',
        {"history": KnownHistory({"token": 3})},
    ),
    "too many of a type": (
        'when.type = ["payment"]\nwhen.count = { over = 3, within = "1h" }',
        {**payment(), "history": KnownHistory({"type payment": 3})},
    ),
    "too many of a scope": (
        'when.scope = ["read"]\nwhen.count = { over = 1, within = "1h" }',
        {"history": KnownHistory({"scope https://pay.example read": 1})},
    ),
    "an app's action": ('when.at = ["app"]', {"flow": "app"}),
    "one signal of two": (
        'when.unusual = ["new_key", "large_amount"]',
        {"history": KnownHistory(odd=frozenset({Code.LARGE_AMOUNT, Code.NEW_AGENT}))},
    ),
    "within a count": (
        'when.count = { at_most = 3, within = "1h" }',
        {"history": KnownHistory({"token": 2})},
    ),
}
NO_MATCH = {
    "another flow": ('when.at = ["exchange", "client_credentials"]', {}),
    "another agent": ('when.agent = ["other"]', {}),
    "a missing label": ('when.labels = ["pilot", "team=ops"]', {}),
    "another owner": ('when.owner = ["eve"]', {}),
    "another user": ('when.user = ["eve"]', {}),
    "no user": ('when.user = ["ana"]', {"user": None}),
    "another resource": ('when.resource = ["https://pay.example/v2"]', {}),
    "a pattern that ends earlier": ('when.resource = ["https://*.exampl"]', {}),
    "a dot that is not a pattern": ('when.resource = ["https://pay?example", "x*"]', {}),
    "another scope": ('when.scope = ["rea"]', {}),
    "no scope": ('when.scope = ["*"]', payment()),
    "no type": ('when.type = ["*"]', {}),
    "too little risk": ('when.risk.at_least = "medium"', {}),
    "too much risk": ('when.risk.at_most = "low"', {"scopes": {"read": Risk.MEDIUM}}),
    "exactly the amount": ('when.amount = { currency = "EUR", over = 5000 }', payment()),
    "another currency": ('when.amount = { currency = "EUR", over = 1 }', payment(currency="USD")),
    "above the amount": ('when.amount = { currency = "EUR", at_most = 4999 }', payment()),
    "nothing unusual": ('when.unusual = ["new_agent"]', {}),
    "another signal": (
        'when.unusual = ["new_key", "large_amount"]',
        {"history": KnownHistory(odd=frozenset({Code.NEW_AGENT}))},
    ),
    "no amount": ('when.amount = { currency = "EUR", at_most = 4999 }', {}),
    "too late": ('when.during = { from = "11:00", to = "12:00", zone = "UTC" }', {}),
    "too early": ('when.during = { from = "12:01", zone = "UTC" }', {}),
    "another day": ('when.during = { days = ["fri"], zone = "UTC" }', {}),
    "over another midnight": (
        'when.during = { from = "20:00", to = "13:00", days = ["thu"], zone = "UTC" }',
        {},
    ),
    "inside": ('when.outside = { zone = "UTC" }', {}),
    "a used resource": (
        'when.first_time = ["resource"]',
        {"history": KnownHistory({"resource https://pay.example": 1})},
    ),
    "a pointer to nothing": ('when.first_time = ["/payee"]', {}),
    "no value to compare": ('when.known = ["/payee"]', {}),
    "an unknown payee": ('when.known = ["/payee"]', payment()),
    "one known payee and a detail without one": (
        'when.known = ["/payee"]',
        {**_with_detail({"type": "refund"}), "history": KnownHistory({KNOWN_PAYEE: 1})},
    ),
    "one of several payees who is known": (
        'when.known = ["/payees/*/name"]',
        {**_payees({"name": "Nord"}, {}), "history": KnownHistory({KNOWN_PAYEE_IN_LIST: 1})},
    ),
    "exactly the count": (
        'when.count = { over = 3, within = "1h" }',
        {"history": KnownHistory({"token": 2})},
    ),
    "many of another type": (
        'when.type = ["*"]\nwhen.count = { over = 3, within = "1h" }',
        {**payment(), "history": KnownHistory({"type other": 9})},
    ),
    "above the count": (
        'when.count = { at_most = 3, within = "1h" }',
        {"history": KnownHistory({"token": 3})},
    ),
}


@pytest.mark.parametrize(("line", "members"), MATCH.values(), ids=MATCH)
def test_a_rule_matches_its_condition(line, members):
    """Each condition is tested as the only condition of a rule."""
    assert verdict(rule("deny", line), **members).outcome == "deny"


@pytest.mark.parametrize(("line", "members"), NO_MATCH.values(), ids=NO_MATCH)
def test_a_rule_does_not_match_other_questions(line, members):
    """If no rule matches a question, a person is asked."""
    result = verdict(rule("deny", line), **members)
    assert (result.outcome, result.rules) == ("ask", ())
    assert result.because == "Every agent request in your name needs approval."


def test_all_conditions_of_a_rule_must_match():
    """A rule does not apply if one of its two conditions does not match."""
    lines = ('when.agent = ["bot"]', 'when.user = ["eve"]')
    assert verdict(rule("deny", *lines)).outcome == "ask"


TWO_SCOPES = {"read": Risk.LOW, "write": Risk.LOW}
ALLOWED = {
    "every scope": ('when.scope = ["read", "write"]', {"scopes": TWO_SCOPES}, True),
    "not every scope": ('when.scope = ["read"]', {"scopes": TWO_SCOPES}, False),
    "an action that it does not name": ('when.user = ["ana"]', payment(), False),
    "an action that it names": ('when.type = ["payment"]', payment(), True),
    "one action of two": (
        'when.type = ["payment"]',
        {**payment(), "types": {"payment": Risk.LOW, "other": Risk.LOW}},
        False,
    ),
    "medium risk": ('when.user = ["ana"]', {"scopes": {"read": Risk.MEDIUM}}, True),
    "high risk": ('when.user = ["ana"]', {"scopes": {"read": Risk.HIGH}}, False),
    "high risk, named by the rule": (
        'when.risk.at_most = "high"',
        {"scopes": {"read": Risk.HIGH}},
        True,
    ),
}


@pytest.mark.parametrize(("line", "members", "allowed"), ALLOWED.values(), ids=ALLOWED)
def test_an_allow_rule_must_cover_the_whole_request(line, members, allowed):
    """A request with a scope, action or risk that no allow rule covers is not allowed."""
    result = verdict(rule("allow", line), **members)
    assert (result.outcome == "allow") is allowed


def test_deny_beats_ask_and_ask_beats_allow():
    """The order of the rules does not matter."""
    allow, ask = rule("allow", 'when.user = ["ana"]', name="a"), rule("ask", name="b")
    deny = rule("deny", name="c", because="Never.")
    assert verdict(allow).rules == ("a",)
    assert (verdict(allow, ask).outcome, verdict(allow, ask).rules) == ("ask", ("b",))
    result = verdict(allow, ask, deny)
    assert (result.outcome, result.rules, result.because) == ("deny", ("c",), "Never.")


def test_ask_rules_combine_to_the_strictest_terms():
    """The highest risk, the PIN and the shortest expiry win; the common approver is asked."""
    first = rule("ask", 'ask.ttl = "5m"', 'ask.who = ["ana", "ben"]', name="one", because="One.")
    second = rule("ask", 'ask.risk = "high"', 'ask.ttl = "10m"', 'ask.who = ["ana"]', name="two")
    combined = verdict(first, second)
    assert (combined.outcome, combined.risk, combined.rules) == ("ask", Risk.HIGH, ("one", "two"))
    assert combined.because == "One. Because."
    assert combined.requirements.ceremony == PIN
    assert (combined.requirements.quorum, combined.requirements.seconds) == (1, 300)
    assert combined.requirements.approvers == {"ana"}


def test_a_rule_may_require_the_pin_at_low_risk():
    """By default, low risk needs only a confirmation within a day."""
    assert verdict(rule("ask", 'ask.ceremony = "pin"')).requirements.ceremony == PIN
    default = verdict(rule("ask")).requirements
    assert (default.ceremony, default.seconds, default.quorum, default.approvers) == (
        CONFIRM,
        86_400,
        1,
        None,
    )


@pytest.mark.parametrize("raised", ["low", "medium"])
def test_a_rule_cannot_lower_the_risk_of_scopes_and_types(raised):
    """A rule can only raise the risk; an agent can require the PIN."""
    result = verdict(rule("ask", f'ask.risk = "{raised}"'), scopes={"pay": Risk.HIGH})
    assert (result.risk, result.requirements.ceremony, result.requirements.seconds) == (
        Risk.HIGH,
        PIN,
        600,
    )
    assert verdict(rule("ask"), wants_pin=True).requirements.ceremony == PIN


def test_critical_risk_needs_two_people_unless_a_rule_requires_one():
    """Only a rule about critical risk can lower the quorum to one."""
    critical = {"scopes": {"root": Risk.CRITICAL}}
    for_critical = 'when.risk.at_least = "critical"'
    assert verdict(rule("ask"), **critical).requirements.quorum == 2
    assert verdict(rule("ask", "ask.quorum = 1", for_critical), **critical).requirements.quorum == 1
    three = rule("ask", "ask.quorum = 3", name="more")
    assert (
        verdict(rule("ask", "ask.quorum = 1", for_critical), three, **critical).requirements.quorum
        == 3
    )


def test_a_quorum_rule_for_lower_risk_does_not_apply_to_critical_risk():
    """Critical risk keeps a quorum of two, unless the rule that raised the risk lowers it."""
    one_approval = rule("ask", "ask.quorum = 1", name="one")
    raised = rule("ask", 'ask.risk = "critical"', name="raised")
    assert verdict(one_approval, raised).requirements.quorum == 2
    assert verdict(one_approval, scopes={"root": Risk.CRITICAL}).requirements.quorum == 2
    assert verdict(rule("ask", 'ask.risk = "critical"', "ask.quorum = 1")).requirements.quorum == 1


@pytest.mark.parametrize("user", ["ana", "ben", None])
def test_only_people_named_by_a_rule_count(user):
    """The approvers do not depend on the user of the request."""
    ask_rule = rule("ask", 'ask.who = ["ben"]')
    assert (
        verdict(ask_rule, user=user).outcome,
        verdict(ask_rule, user=user).requirements.approvers,
    ) == (
        "ask",
        {"ben"},
    )
    answers = [Approvals(1, by=frozenset({name})) for name in ("ana", "ben")]
    allowed = [engine(ask_rule).answer(question(user=user), answer).allowed for answer in answers]
    assert allowed == [False, True]


def test_a_group_named_by_a_rule_means_its_members():
    """The members at the time of the request count; an empty group means nobody."""
    ask_rule = rule("ask", 'ask.who = ["sayso_gr_fin", "ben"]', "ask.quorum = 2")
    members = {"sayso_gr_fin": frozenset({"ben", "cleo"}), "sayso_gr_other": frozenset({"dan"})}
    result = verdict(ask_rule, members=members)
    assert (result.outcome, result.requirements.approvers) == ("ask", {"ben", "cleo"})
    assert result.requirements.groups == {"sayso_gr_fin"}
    assert verdict(ask_rule).outcome == "deny"


QUORUMS = {
    "one of two approvers": ((), {"ana"}, False),
    "two": ((), {"ana", "ben"}, True),
    "two, without the requested person": ((), {"ben", "cleo"}, False),
    "two who are named": (('ask.who = ["ben", "cleo"]',), {"ben", "cleo"}, True),
    "one person who is named": (('ask.who = ["ben", "cleo"]',), {"ben", "ana"}, False),
    "two, where the user is excluded": (('ask.exclude = ["user"]',), {"ben", "cleo"}, True),
    "an excluded user": (('ask.exclude = ["user"]',), {"ana", "cleo"}, False),
    "an excluded owner": (('ask.exclude = ["owner"]',), {"ana", "olga"}, False),
    "two, where the owner is excluded": (('ask.exclude = ["owner"]',), {"ana", "ben"}, True),
}


@pytest.mark.parametrize(("lines", "by", "allowed"), QUORUMS.values(), ids=QUORUMS)
def test_a_quorum_counts_distinct_eligible_approvers(lines, by, allowed):
    """Unless a rule names people, the requested person must be among the approvers."""
    policy = engine(rule("ask", "ask.quorum = 2", *lines))
    case = question(owners=frozenset({"olga"}))
    assert policy.answer(case, Approvals(len(by), by=frozenset(by))).allowed is allowed
    assert not policy.answer(case, Approvals(1, by=frozenset(by))).allowed


def test_a_quorum_above_the_number_of_named_people_is_denied():
    """The verdict keeps the quorum because the error message states it."""
    result = verdict(rule("ask", 'ask.who = ["ana", "ben"]', "ask.quorum = 3"))
    assert (result.outcome, result.requirements.quorum) == ("deny", 3)


def test_rules_without_a_common_approver_deny():
    """Every rule must be satisfied, and nobody is named by both rules."""
    both = rule("ask", 'ask.who = ["ana"]', name="a"), rule("ask", 'ask.who = ["ben"]', name="b")
    for user in ("ana", "ben"):
        assert verdict(*both, user=user).outcome == "deny"


def test_a_verdict_has_at_most_three_distinct_reasons():
    """Reasons come from the first three rules without repetition; the verdict names all rules."""
    rules = [rule("ask", name=f"r{n}", because=f"Reason {n // 2}.") for n in range(8)]
    assert verdict(*rules).because == "Reason 0. Reason 1."
    assert len(verdict(*rules).rules) == 8


ANSWERS = {
    "no approval": (NO_APPROVALS, False),
    "one, as required": (Approvals(1, Risk.HIGH, PIN, frozenset({"ana"})), True),
    "one, without the PIN": (Approvals(1, Risk.HIGH, CONFIRM, frozenset({"ana"})), False),
    "one for a lower risk": (Approvals(1, Risk.MEDIUM, PIN, frozenset({"ana"})), False),
    "one by another person": (Approvals(1, Risk.HIGH, PIN, frozenset({"eve"})), False),
    "one for a higher risk": (Approvals(1, Risk.CRITICAL, PIN, frozenset({"ana"})), True),
}


@pytest.mark.parametrize(("approvals", "allowed"), ANSWERS.values(), ids=ANSWERS)
def test_approvals_are_part_of_the_question(approvals, allowed):
    """An approval counts only if a named person gave it at this risk or higher, with the PIN."""
    policy = engine(rule("ask", 'ask.risk = "high"', 'ask.who = ["ana"]'))
    assert policy.answer(question(), approvals).allowed is allowed


DEFAULTS = {
    "a low scope, exchanged": ("exchange", Risk.LOW, {}, "allow"),
    "a medium scope, exchanged": ("exchange", Risk.MEDIUM, {}, "allow"),
    "a medium scope without a user": ("client_credentials", Risk.MEDIUM, {}, "allow"),
    "a high scope, exchanged": ("exchange", Risk.HIGH, {}, "ask"),
    "a critical scope without a user": ("client_credentials", Risk.CRITICAL, {}, "ask"),
    "a low scope, requested": ("request", Risk.LOW, {}, "ask"),
    "a low-risk action": ("exchange", Risk.LOW, {"types": {"payment": Risk.LOW}}, "ask"),
}


@pytest.mark.parametrize(("flow", "risk", "members", "outcome"), DEFAULTS.values(), ids=DEFAULTS)
def test_the_default_rules_require_approval_of_high_risk_and_actions(flow, risk, members, outcome):
    """At the backchannel endpoint, the default rules require approval of every request."""
    policy = builtin.compile_row(builtin.default_row())
    case = question(flow=flow, scopes={"x": risk}, **members)
    assert decide(policy, case, SOURCE).outcome == outcome


def test_hours_are_half_open_intervals():
    """A request exactly at the end of the interval is outside it."""
    line = 'when.during = { from = "12:00", to = "13:00", days = ["thu"], zone = "UTC" }'
    assert verdict(rule("deny", line), at=NOON + HOUR - 1).outcome == "deny"
    assert verdict(rule("deny", line), at=NOON + HOUR).outcome == "ask"


def test_a_rule_applies_to_apps_only_if_it_names_them():
    """A person is asked about every action of an app, whatever the rules for agents say."""
    result = verdict(rule("deny"), rule("deny", 'when.resource = ["*"]', name="s"), flow="app")
    assert (result.outcome, result.rules) == ("ask", ())
