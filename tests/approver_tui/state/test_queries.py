"""Parsing the filter language."""

from dataclasses import replace

import pytest

from approver_tui.state.approvals.decision import Answer
from approver_tui.state.queries import Query, read_query
from approver_tui.state.saved_filters import saved_filters
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PRICES

PAY = with_decision(an_approval("pay"), Answer.APPROVE)
WEB = with_decision(an_approval("web", DEPLOY), Answer.DENY)
EXPIRED = an_approval("prices", PRICES, expires_in=-60 * MINUTE)


def _matching(text):
    query = read_query(text, NOW + MINUTE, "sayso_us_aaaaaaaaaaaaaaaa")
    return [approval for approval in (PAY, WEB, EXPIRED) if query.matches(approval)]


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", [PAY, WEB, EXPIRED]),
        ("nordwind", [PAY]),
        ("NORDWIND pay", [PAY]),
        ("k8s.example", [WEB]),
        (PAY.id, [PAY]),
        ("!pay", [WEB, EXPIRED]),
        ("!", []),
        ("agent:Release-Agent", [WEB]),
        ("risk:high", [PAY]),
        ("risk:medium", [PAY, WEB]),
        ("since:30m", [PAY, WEB]),
        ("is:approved", [PAY]),
        ("is:denied", [WEB]),
        ("is:nobody", [EXPIRED]),
        ("is:denied risk:high", []),
        ("by:me", [PAY, WEB]),
        ("by:alice", [PAY, WEB]),
        ("by:Phone", [PAY, WEB]),
        ("by:bob", []),
        ("agent:", []),
        ("https://pay.example", [PAY]),
    ],
)
def test_all_conditions_must_hold(text, matches):
    """A word matches the headline, agent, resource or ID; a colon makes a condition."""
    assert _matching(text) == matches


@pytest.mark.parametrize(
    ("text", "remedy"),
    [("risk:huge", "low, medium"), ("is:open", "is:approved"), ("since:long", "number and a unit")],
)
def test_an_invalid_query_names_the_valid_forms(text, remedy):
    """An invalid condition raises an error instead of filtering."""
    with pytest.raises(ValueError, match=remedy):
        read_query(text, NOW)


def test_an_empty_query_is_false():
    """An empty query is false, so a list can tell whether it is filtered."""
    assert not Query()
    assert not read_query("  ", NOW)
    for text in ("a", "!a", "risk:low"):
        assert read_query(text, NOW)
    assert read_query(" a  b ", NOW).text == "a  b"


def test_by_me_compares_the_id_of_the_user():
    """`by:me` never matches the decision of a different user, whatever that user's name is."""
    assert read_query("by:me", NOW, "sayso_us_bbbbbbbbbbbbbbbb").matches(PAY) is False


def test_a_saved_filter_is_replaced_by_its_text():
    """A saved filter can be combined with other words, and the query keeps the typed text."""
    saved = saved_filters("urgent = risk:high since:1d; mine = by:me;")
    query = read_query("nordwind @urgent", NOW, saved=saved)
    assert query == replace(read_query("nordwind risk:high since:1d", NOW), text=query.text)
    assert query.text == "nordwind @urgent"
    assert read_query("@mine", NOW, "sayso_us_aaaaaaaaaaaaaaaa", saved).conditions.by
    with pytest.raises(ValueError, match="the saved filters are @urgent, @mine"):
        read_query("@other", NOW, saved=saved)


@pytest.mark.parametrize("text", ["urgent", "Urgent = a", "a = b; a = c", "a = ", "a = @b"])
def test_an_invalid_saved_filter_is_refused(text):
    """A saved filter needs a valid, unique name, and its text must not use a saved filter."""
    with pytest.raises(ValueError, match="use the form "):
        saved_filters(text)


def test_without_saved_filters_the_sign_is_a_word():
    """Without saved filters, `@acme` is searched for as it is."""
    assert read_query("@acme", NOW).words == ("@acme",)
