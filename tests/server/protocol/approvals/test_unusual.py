"""Unusual-request signals: their thresholds, their sentences, and their limits."""

import re
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol.approvals import unusual
from server.protocol.approvals.comparisons import (
    Amount,
    AnswerHours,
    Baseline,
    Comparison,
    NamedTarget,
    PastApprovals,
    RequestingAgent,
    SameDay,
    TextValue,
)
from server.protocol.approvals.unusual import SIGNALS, Code, FoundSignal, Severity, find_signals
from server.protocol.text import SafeText, display_safe
from tests.support.checks.source import ROOT

NAME, KEY, KIND, SCOPE, PLACE = "name", "key", "kind", "scope", "place"
KNOWN = RequestingAgent(
    "invoice-bot",
    NAME,
    frozenset({KEY}),
    PastApprovals(9, members=frozenset({NAME, KEY, KIND, SCOPE, PLACE})),
    {KIND: "Payment"},
    {SCOPE: "payments:transfer"},
    {PLACE: "https://pay.example"},
    PastApprovals(8, days=8),
)
USUAL = Comparison(KNOWN, PastApprovals(9, since=1_772_496_000_000))
"""A request in which nothing is unusual."""
PAID = NamedTarget("To account", "a", known=True, name_label="To", name_mark="n")
HOSTILE = "bot\x1b[2J\u202e</script>"


def _with_agent(**changes):
    return replace(USUAL, asker=replace(KNOWN, **changes))


def _target(**changes):
    return replace(USUAL, targets=(replace(PAID, **changes),))


def _amount(value, *pasts, **others):
    """Return an amount of euros with earlier amounts to compare with, closest first."""
    baselines = tuple(Baseline(past, "for this “To account”") for past in pasts)
    return Amount("Amount", value, "EUR", baselines, **others)


def _with_amount(value, *pasts, **others):
    return replace(USUAL, amounts=(_amount(value, *pasts, **others),))


def test_a_renamed_agent_is_shown_with_its_former_name():
    """The sentence says until which day (UTC) the agent had its former name."""
    renamed = _with_agent(mark="other", formerly=("weather-helper", 1_772_496_000_000))
    (oddity,) = find_signals(renamed).signals
    assert oddity.text == (
        "invoice-bot had a different name when you last approved one of its requests: "
        "weather-helper, until 3 March 2026."
    )


CASES = {
    Code.NEW_AGENT: (
        _with_agent(past=PastApprovals()),
        "First request from invoice-bot that you would approve.",
    ),
    Code.RENAMED_AGENT: (
        _with_agent(mark="other"),
        "invoice-bot had a different name when you last approved one of its requests.",
    ),
    Code.NEW_KEY: (
        _with_agent(keys=frozenset({KEY, "other"})),
        "invoice-bot has a new key since you last approved one of its requests.",
    ),
    Code.NEW_TYPE: (
        _with_agent(types={KIND: "Payment", "other": "Release", "third": "Message"}),
        "First time from invoice-bot: Release, Message.",
    ),
    Code.NEW_RESOURCE: (
        _with_agent(resource={"other": "https://other.example"}),
        "First time for invoice-bot at https://other.example.",
    ),
    Code.NEW_SCOPE: (
        _with_agent(scopes={SCOPE: "payments:transfer", "other": "payments:read"}),
        "First time for invoice-bot: payments:read.",
    ),
    Code.NEW_TARGET: (_target(known=False), "First time: “To account”."),
    Code.OTHER_NAME: (
        _target(names=frozenset({"other"})),
        "This “To account” was approved before with a different “To”.",
    ),
    Code.OTHER_TARGET: (
        _target(targets=frozenset({"other"})),
        "This “To” was approved before with a different “To account”.",
    ),
    Code.LOOKALIKE: (
        replace(USUAL, values=(TextValue("To", "a", frozenset({"b"})),)),
        "Looks like a value approved before, but has different characters: “To”.",
    ),
    Code.MIXED_SCRIPTS: (
        replace(USUAL, values=(TextValue("Agent name", "a", mixes_scripts=True),)),
        "Mixes letters of several alphabets in one word: “Agent name”.",
    ),
    Code.LARGE_AMOUNT: (
        _with_amount(482_000, PastApprovals(1, 4_820, 4_820)),
        "Amount is 100 times the only earlier amount for this “To account”, EUR 48.20.",
    ),
    Code.NEW_CURRENCY: (_with_amount(1, new_currency=True), "First time in EUR: “Amount”."),
    Code.SPLIT_AMOUNT: (
        replace(
            USUAL,
            same_day=(
                SameDay(_amount(495_000, PastApprovals(9, 891_000, 99_000)), 5, "To account"),
            ),
        ),
        (
            "5 requests today for this “To account”, EUR 4,950.00 in total: 5 times the usual "
            "amount for this “To account”, EUR 990.00."
        ),
    ),
    Code.BURST: (
        _with_agent(this_hour=5),
        "5 requests from invoice-bot in this hour; the usual number is 1 per day.",
    ),
    Code.UNUSUAL_HOUR: (
        replace(USUAL, hours=AnswerHours(23, 40, 1)),
        "Sent between 23:00 and 00:00 UTC, when you rarely answer.",
    ),
}


def test_a_request_like_earlier_ones_has_no_signals():
    """A request like earlier ones has no signals, and the text says what it was compared with."""
    result = find_signals(USUAL)
    assert (result.codes, result.signals) == (frozenset(), ())
    assert result.compared == (
        "Nothing unusual, compared with 9 earlier approvals since 3 March 2026."
    )


def test_there_is_one_signal_for_each_code_in_order():
    """Each code in the API and in policies has exactly one signal, in the same order."""
    assert [row.code for row in SIGNALS] == list(Code)
    assert CASES.keys() == set(Code)


def test_the_documentation_lists_every_signal_with_its_severity():
    """Approvers can look up every signal and its severity in the documentation."""
    page = (ROOT / "docs" / "unusual.md").read_text("utf-8")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (\w+) \|", page, re.MULTILINE)
    documented = [
        (code, severity) for codes, severity in rows for code in re.findall(r"\w+", codes)
    ]
    assert documented == [(row.code, row.severity) for row in SIGNALS]


@pytest.mark.parametrize("code", Code)
def test_each_signal_has_one_sentence(code):
    """A sentence contains only registered names, labels and numbers."""
    compared, sentence = CASES[code]
    result = find_signals(compared)
    assert code in result
    assert [signal.text for signal in result.signals if signal.code is code] == [sentence]
    assert "Nothing unusual" not in result.compared
    others = result.codes - {code}
    assert others <= ({Code.NEW_KEY, Code.NEW_TYPE} if code is not Code.NEW_AGENT else set(Code))


def test_warnings_come_first_and_duplicates_are_merged():
    """Screens show warnings first and omit implied signals; policies still get all codes."""
    result = find_signals(
        replace(
            _with_agent(past=PastApprovals()),
            targets=(replace(PAID, known=False),),
            hours=AnswerHours(),
        )
    )
    assert {Code.NEW_TYPE, Code.NEW_RESOURCE, Code.NEW_SCOPE} <= result.codes
    assert [signal.code for signal in result.signals] == [Code.NEW_AGENT, Code.NEW_TARGET]
    other = find_signals(_target(known=False, targets=frozenset({"other"})))
    assert [signal.code for signal in other.signals] == [Code.OTHER_TARGET]
    assert Code.NEW_TARGET in other
    both = find_signals(replace(CASES[Code.LARGE_AMOUNT][0], targets=(replace(PAID, known=False),)))
    assert [signal.severity for signal in both.signals] == [Severity.WARNING, Severity.NOTICE]


@pytest.mark.parametrize(
    ("value", "past", "times"),
    [
        (1_200, PastApprovals(3, 300, 100), 12),
        (300, PastApprovals(3, 300, 100), 3),
        (299, PastApprovals(3, 300, 100), None),
        (399, PastApprovals(3, 300, 100), 3),
        # The same amount was approved before.
        (900, PastApprovals(10, 1_800, 900), None),
        # With one or two amounts, the larger one counts.
        (500, PastApprovals(1, 100, 100), 5),
        (499, PastApprovals(1, 100, 100), None),
        (1_000_000, PastApprovals(2, 200, 150), 6_666),
        (1_000_000, PastApprovals(), None),
        (1_000_000, PastApprovals(9, 0, 0), None),
        (0, PastApprovals(3, 300, 100), None),
        # Integers are exact, so no amount is too large to compare.
        (2**53 - 1, PastApprovals(64, 64, 1), 2**53 - 1),
    ],
)
def test_an_amount_is_large_compared_with_the_usual_one(value, past, times):
    """Three times the mean is large; with one or two amounts, five times the larger one."""
    assert unusual.times_usual(value, past) == times


@pytest.mark.parametrize(
    ("answers", "near", "rare"),
    [(20, 0, True), (20, 1, False), (19, 0, False), (100, 4, True), (100, 5, False), (0, 0, False)],
)
def test_an_hour_with_few_earlier_answers_is_unusual(answers, near, rare):
    """An hour is unusual with fewer than one in twenty answers, if there are at least twenty."""
    assert unusual.is_rare(answers, near=near) is rare


def test_an_amount_is_compared_with_the_closest_history():
    """An amount that is usual for one account is not large because other accounts get less."""
    rent, others = PastApprovals(3, 3_000_000, 1_000_000), PastApprovals(40, 400_000, 10_000)
    assert Code.LARGE_AMOUNT not in find_signals(_with_amount(1_000_000, rent, others))
    assert Code.LARGE_AMOUNT in find_signals(_with_amount(1_000_000, PastApprovals(), others))
    one_approval = PastApprovals(1, 1_000_000, 1_000_000)
    assert Code.LARGE_AMOUNT not in find_signals(_with_amount(2_000_000, one_approval, others))
    assert Code.LARGE_AMOUNT in find_signals(_with_amount(2_000_001, one_approval, others))


@pytest.mark.parametrize(
    ("changes", "bursts"),
    [
        ({"this_hour": 4}, False),
        ({"this_hour": 5}, True),
        ({"today": 9}, False),
        ({"today": 10}, True),
        # The usual number is six a day.
        ({"this_hour": 12, "before": PastApprovals(60, days=10)}, False),
        ({"this_hour": 13, "before": PastApprovals(60, days=10)}, True),
        ({"today": 18, "before": PastApprovals(60, days=10)}, False),
        ({"today": 19, "before": PastApprovals(60, days=10)}, True),
        # There is not enough history yet.
        ({"this_hour": 50, "before": PastApprovals(4, days=1)}, False),
    ],
)
def test_a_burst_exceeds_the_usual_number_of_requests(changes, bursts):
    """The numbers of requests in this hour and today are compared with the usual daily number."""
    assert (Code.BURST in find_signals(_with_agent(**changes))) is bursts


def test_a_split_amount_needs_three_requests_for_one_target():
    """A split amount is detected once at least three requests add up to a large sum."""
    for count, expected in ((2, False), (3, True)):
        day = SameDay(_amount(495_000, PastApprovals(9, 891_000, 99_000)), count, "To account")
        assert (Code.SPLIT_AMOUNT in find_signals(replace(USUAL, same_day=(day,)))) is expected


def test_a_hostile_agent_name_is_escaped_in_sentences():
    """The agent's name is the only text in a sentence that the agent may have chosen."""
    result = find_signals(_with_agent(name=HOSTILE, past=PastApprovals()))
    assert result.signals[0] == FoundSignal(
        Code.NEW_AGENT,
        Severity.NOTICE,
        display_safe(f"First request from {HOSTILE} that you would approve."),
    )
    assert "\x1b" not in result.signals[0].text
    braces = find_signals(_with_agent(name="{agent} {0}", past=PastApprovals())).signals[0].text
    assert braces == "First request from {agent} {0} that you would approve."


MONEY = st.integers(0, 2**53 - 1)
MARKS = st.sampled_from("abcdef")
SETS = st.frozensets(MARKS)
TEXTS = st.text(max_size=20)
COUNTS = st.integers(0, 60)


@st.composite
def _amount_histories(draw):
    """Generate amounts, and the history of their approvals."""
    amounts = draw(st.lists(st.integers(1, 10**9), max_size=8))
    return PastApprovals(
        len(amounts), sum(amounts), max(amounts, default=0), 0, 1, draw(SETS)
    ), amounts


def _draw_past(draw):
    return draw(_amount_histories())[0]


@st.composite
def _random_comparisons(draw):
    """Generate any request with any history."""
    agent = RequestingAgent(
        draw(TEXTS),
        draw(MARKS),
        draw(SETS),
        _draw_past(draw),
        draw(st.dictionaries(MARKS, TEXTS)),
        draw(st.dictionaries(MARKS, TEXTS)),
        draw(st.dictionaries(MARKS, TEXTS, max_size=1)),
        _draw_past(draw),
        draw(COUNTS),
        draw(COUNTS),
    )
    named = st.builds(NamedTarget, TEXTS, MARKS, st.booleans(), TEXTS, MARKS, SETS, SETS)
    priced = st.builds(
        lambda value, pasts: _amount(value, *(past for past, _ in pasts)),
        MONEY,
        st.lists(_amount_histories(), max_size=4),
    )
    return Comparison(
        agent,
        _draw_past(draw),
        tuple(draw(st.lists(named, max_size=3))),
        tuple(draw(st.lists(priced, max_size=2))),
        tuple(draw(st.lists(st.builds(SameDay, priced, COUNTS, TEXTS), max_size=2))),
        tuple(draw(st.lists(st.builds(TextValue, TEXTS, MARKS, SETS, st.booleans()), max_size=3))),
        draw(st.builds(AnswerHours, st.integers(0, 23), COUNTS, COUNTS)),
    )


@given(_random_comparisons())
def test_usual_requires_enough_history_and_no_signal(compared):
    """The text says "Nothing unusual" only if there is enough history and no signal."""
    result = find_signals(compared)
    says_usual = "Nothing unusual" in result.compared
    assert says_usual == (not result.codes and compared.comparable.count >= unusual.MIN_HISTORY)
    assert bool(result.codes) == bool(result.signals)


@given(_random_comparisons())
def test_every_sentence_is_display_safe_and_not_empty(compared):
    """Sentences with any names and labels are safe to display."""
    result = find_signals(compared)
    for text in (result.compared, *(signal.text for signal in result.signals)):
        assert isinstance(text, SafeText)
        assert text.strip()
        assert text == display_safe(text, max_chars=600)


@given(_random_comparisons(), MONEY)
def test_a_larger_amount_keeps_every_signal(compared, more):
    """Increasing the amounts of a request does not remove any of its signals."""
    larger = tuple(replace(amount, value=amount.value + more) for amount in compared.amounts)
    assert find_signals(replace(compared, amounts=larger)).codes >= find_signals(compared).codes


@given(_amount_histories(), st.data())
def test_an_amount_approved_before_is_not_large(past, data):
    """An amount is never large if the history it is compared with contains the same amount."""
    past_approvals, amounts = past
    if amounts:
        value = data.draw(st.sampled_from(amounts))
        assert Code.LARGE_AMOUNT not in find_signals(_with_amount(value, past_approvals))


@given(_random_comparisons())
def test_a_request_equal_to_history_has_no_novelty_signal(compared):
    """A request with a known name, target, value and agent has no signal for something new."""
    agent = compared.asker
    marks = {agent.mark, *agent.keys, *agent.types, *agent.scopes, *agent.resource}
    past = replace(agent.past, count=1, members=agent.past.members | marks)
    same = replace(
        compared,
        asker=replace(agent, past=past),
        targets=tuple(
            replace(
                target,
                known=True,
                names=target.names | {target.name_mark},
                targets=target.targets | {target.mark},
            )
            for target in compared.targets
        ),
        values=tuple(
            replace(value, look_alikes=value.look_alikes | {value.mark}, mixes_scripts=False)
            for value in compared.values
        ),
    )
    allowed = {Code.LARGE_AMOUNT, Code.SPLIT_AMOUNT, Code.BURST, Code.UNUSUAL_HOUR}
    assert find_signals(same).codes <= allowed


@given(_random_comparisons(), _amount_histories(), SETS)
def test_approvals_by_others_do_not_remove_first_time_signals(compared, past, marks):
    """Other people's approvals only provide amounts and names to compare with."""
    baseline = Baseline(past[0], "by others")
    more = replace(
        compared,
        amounts=tuple(
            replace(amount, baselines=(*amount.baselines, baseline)) for amount in compared.amounts
        ),
        targets=tuple(
            replace(target, names=target.names or marks, targets=target.targets or marks)
            for target in compared.targets
        ),
    )
    firsts = {row.code for row in SIGNALS if row.code.startswith("new_")}
    assert find_signals(more).codes & firsts == find_signals(compared).codes & firsts


def test_every_member_of_a_comparison_is_used_by_a_signal():
    """A member that no signal uses should be removed."""
    empty = Comparison(KNOWN)
    used = {
        field.name
        for field in fields(Comparison)
        for compared, _ in CASES.values()
        if getattr(compared, field.name) != getattr(empty, field.name)
    }
    assert used == {field.name for field in fields(Comparison)}
