"""A batch: what is ticked, what is pulled out, what is counted."""

import pytest

from approver_tui.state.approvals.batch import Batch, is_unusual, rights
from approver_tui.state.risks import Risk
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import APP_PAYMENT, DEPLOY, MINUTE

ONE = an_approval("one", DEPLOY, left=9 * MINUTE)
TWO = an_approval("two", DEPLOY, left=5 * MINUTE, headline="Deploy api 1.0 to staging")
NEW = an_approval("new", DEPLOY, left=3 * MINUTE, unusual=[("new_target", "Never before.")])
BATCH = Batch.of([NEW, ONE, TWO])


def test_what_is_unusual_stands_below_and_is_not_ticked():
    """The others keep their order and are ticked."""
    assert BATCH.rows == (ONE, TWO, NEW)
    assert (BATCH.usual, BATCH.unusual) == ((ONE, TWO), (NEW,))
    assert BATCH.chosen == (ONE, TWO)


def test_an_agents_first_request_and_what_nobody_compared_are_unusual():
    """Not knowing is no reason to tick."""
    assert is_unusual(an_approval("first", DEPLOY, first=True))
    assert is_unusual(an_approval("app", {**APP_PAYMENT, "unusual": []}))
    assert not is_unusual(ONE)


def test_a_tick_is_turned_by_hand_and_back():
    """An unusual one too."""
    with_new = BATCH.turned(NEW.id)
    assert with_new.chosen == (ONE, TWO, NEW)
    assert with_new.turned(ONE.id).chosen == (TWO, NEW)
    assert with_new.turned(NEW.id) == BATCH


def test_the_count_is_that_of_the_ticks_written_plainly():
    """Neither more nor less, nor nothing."""
    assert BATCH.is_count("2")
    assert not any(map(BATCH.is_count, ["", "3", "02", " 2", "two", "1"]))
    assert not BATCH.turned(ONE.id).turned(TWO.id).is_count("0")


def test_what_is_dropped_takes_its_tick_along():
    """The others keep theirs."""
    left = BATCH.without(frozenset({ONE.id}))
    assert (left.rows, left.chosen) == ((TWO, NEW), (TWO,))
    assert not left.is_count("2")


def test_the_pin_is_due_where_one_that_is_ticked_takes_it():
    """One that is not ticked takes nothing."""
    pin = an_approval("pin", DEPLOY, ceremony="pin")
    assert Batch.of([ONE, pin]).needs_pin
    assert not Batch.of([ONE, pin]).turned(pin.id).needs_pin


def test_the_risk_is_the_highest_of_all_and_the_end_the_first_of_the_ticked():
    """With nothing ticked it is that of all."""
    low = an_approval("low", DEPLOY, risk="low", left=20 * MINUTE)
    assert Batch.of([low]).risk is Risk.LOW
    assert Batch.of([low, ONE]).risk is Risk.MEDIUM
    assert BATCH.ends_at == NOW + 5 * MINUTE
    assert BATCH.turned(ONE.id).turned(TWO.id).ends_at == NOW + 3 * MINUTE


@pytest.mark.parametrize(
    ("member", "terms"),
    [
        ("resource", {"resource": "https://other.example"}),
        ("rights", {"scopes": [("deploy:run", "low")]}),
        ("user_name", {"for": "bob"}),
        ("risk_reason", {"risk_reason": "another"}),
        ("undo", {"undo": "Not at all."}),
        ("gives", {"gives": "two tokens"}),
    ],
)
def test_what_differs_is_not_said_to_be_shared(member, terms):
    """The rest is."""
    shared = Batch.of([ONE, an_approval("two", DEPLOY, **terms)]).shared
    same = Batch.of([ONE]).shared
    assert getattr(shared, member) is None
    assert getattr(same, member) is not None
    others = set(same.__slots__) - {member}
    assert all(getattr(shared, name) == getattr(same, name) for name in others)


def test_rights_are_said_with_their_risk():
    """All of them."""
    both = an_approval("both", DEPLOY, scopes=[("a", "low"), ("b", "medium")])
    assert rights(both) == "a (low), b (medium)"
