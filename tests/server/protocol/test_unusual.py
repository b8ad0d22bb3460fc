"""From which numbers on something is unusual, and how that reads."""

import pytest

from server.protocol import unusual
from server.protocol.text import SafeText
from server.protocol.unusual import Code, Oddity, Unusual


@pytest.mark.parametrize(
    ("amount", "count", "total", "times"),
    [
        (1200, 3, 300, 12),
        (300, 3, 300, 3),
        (299, 3, 300, None),
        (399, 3, 300, 3),
        # Two amounts are no habit yet.
        (1_000_000, 2, 200, None),
        (1_000_000, 0, 0, None),
        (1_000_000, 9, 0, None),
        (0, 3, 300, None),
        # Whole numbers alone: no amount is too large to compare.
        (2**53 - 1, 64, 64, 2**53 - 1),
    ],
)
def test_an_amount_is_large_from_three_times_the_mean_on(amount, count, total, times):
    """As soon as there are three to compare it with."""
    assert unusual.times_usual(amount, count=count, total=total) == times


@pytest.mark.parametrize(
    ("answers", "near", "rare"),
    [(20, 0, True), (20, 1, False), (19, 0, False), (100, 4, True), (100, 5, False), (0, 0, False)],
)
def test_an_hour_is_unusual_when_hardly_any_answers_fell_near_it(answers, near, rare):
    """One in twenty, from twenty answers on."""
    assert unusual.is_rare(answers, near=near) is rare


def test_every_oddity_is_a_sentence_with_its_code():
    """The codes are for policy, the sentences for people."""
    said = [
        unusual.new_agent("invoice-bot"),
        unusual.new_key("invoice-bot"),
        unusual.new_scope("invoice-bot", ["payments:read", "payments:transfer"]),
        unusual.new_target(["Domain 1", "Domain 3", "Domain 1"]),
        unusual.large_amount("Amount", 1_200, "EUR 401.67"),
        unusual.unusual_hour(23),
    ]
    assert [oddity.code for oddity in said] == list(Code)
    assert [oddity.text for oddity in said] == [
        "You never approved anything of invoice-bot before.",
        "invoice-bot has a new key since you last approved something of it.",
        "Never approved before for invoice-bot: payments:read, payments:transfer.",
        "Never approved before: Domain 1, Domain 3.",
        "Amount is 1,200 times the usual amount, EUR 401.67.",
        "Asked between 23:00 and 00:00 UTC, when you rarely answer.",
    ]
    assert all(isinstance(oddity.text, SafeText) for oddity in said)


def test_a_hostile_name_reaches_no_sentence_raw():
    """An administrator may paste anything."""
    oddity = unusual.new_agent("bot\x1b[2J\u202e")
    assert oddity == Oddity(
        Code.NEW_AGENT, r"You never approved anything of bot\u{1b}[2J\u{202e} before."
    )


def test_policy_asks_whether_a_code_is_among_them():
    """Nothing is unusual until something is found."""
    found = Unusual(frozenset({Code.NEW_TARGET}))
    assert Code.NEW_TARGET in found
    assert Code.NEW_AGENT not in found
    assert Code.NEW_TARGET not in Unusual()
