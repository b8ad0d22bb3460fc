"""A batch: the selection, unusual requests and the count."""

import pytest

from approver_tui.state.approvals.batch import Batch, is_unusual, rights
from approver_tui.state.risks import Risk
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import APP_PAYMENT, DEPLOY, MINUTE

ONE = an_approval("one", DEPLOY, expires_in=9 * MINUTE)
TWO = an_approval("two", DEPLOY, expires_in=5 * MINUTE, headline="Deploy api 1.0 to staging")
NEW = an_approval("new", DEPLOY, expires_in=3 * MINUTE, unusual=[("new_target", "Never before.")])
BATCH = Batch.from_selection([NEW, ONE, TWO])


def test_unusual_requests_come_first_and_are_not_selected():
    """The usual requests keep their order and are selected; a batch of denials selects all."""
    assert BATCH.rows == (NEW, ONE, TWO)
    assert Batch.from_selection([NEW, ONE, TWO], with_unusual=True).selected == (NEW, ONE, TWO)
    assert (BATCH.usual, BATCH.unusual) == ((ONE, TWO), (NEW,))
    assert BATCH.selected == (ONE, TWO)


def test_first_and_uncompared_requests_are_unusual():
    """A request that was not compared is not known to be usual, so it is not selected."""
    assert is_unusual(an_approval("first", DEPLOY, first=True))
    assert is_unusual(an_approval("app", {**APP_PAYMENT, "unusual": []}))
    assert not is_unusual(ONE)


def test_a_request_is_selected_and_deselected():
    """The user can select an unusual request too."""
    with_new = BATCH.with_toggled(NEW.id)
    assert with_new.selected == (NEW, ONE, TWO)
    assert with_new.with_toggled(ONE.id).selected == (NEW, TWO)
    assert with_new.with_toggled(NEW.id) == BATCH


def test_the_count_is_the_number_of_selected_requests():
    """The typed count must be in plain digits, and 0 is never accepted."""
    assert BATCH.is_count("2")
    assert not any(map(BATCH.is_count, ["", "3", "02", " 2", "two", "1"]))
    assert not BATCH.with_toggled(ONE.id).with_toggled(TWO.id).is_count("0")


def test_a_removed_request_loses_its_selection():
    """The other requests stay selected, and the required count is smaller."""
    remaining = BATCH.without(frozenset({ONE.id}))
    assert (remaining.rows, remaining.selected) == ((NEW, TWO), (TWO,))
    assert not remaining.is_count("2")


def test_the_pin_is_needed_if_a_selected_request_needs_it():
    """A request that is not selected does not make the PIN necessary."""
    pin = an_approval("pin", DEPLOY, ceremony="pin")
    assert Batch.from_selection([ONE, pin]).needs_pin
    assert not Batch.from_selection([ONE, pin]).with_toggled(pin.id).needs_pin


def test_a_batch_has_the_highest_risk_and_the_earliest_expiry():
    """Only selected requests count for the expiry, unless none is selected."""
    low = an_approval("low", DEPLOY, risk="low", expires_in=20 * MINUTE)
    assert Batch.from_selection([low]).risk is Risk.LOW
    assert Batch.from_selection([low, ONE]).risk is Risk.MEDIUM
    assert BATCH.ends_at == NOW + 5 * MINUTE
    assert BATCH.with_toggled(ONE.id).with_toggled(TWO.id).ends_at == NOW + 3 * MINUTE


@pytest.mark.parametrize(
    ("label", "fields"),
    [
        ("Resource", {"resource": "https://other.example"}),
        ("Scopes", {"scopes": [("deploy:run", "low")]}),
        ("For", {"for": "bob"}),
        ("Risk", {"risk_reason": "another"}),
        ("Undo", {"undo": "Not at all."}),
        ("Grants", {"gives": "two tokens"}),
    ],
)
def test_differing_members_are_not_shared(label, fields):
    """Only the differing member is left out; all other members are shared."""
    shared = Batch.from_selection([ONE, an_approval("two", DEPLOY, **fields)]).shared
    single = Batch.from_selection([ONE]).shared
    assert len(single) == 6
    assert shared == {name: value for name, value in single.items() if name != label}


def test_scopes_are_listed_with_their_risk():
    """Every scope of the request is listed."""
    approval = an_approval("approval", DEPLOY, scopes=[("a", "low"), ("b", "medium")])
    assert rights(approval) == "a (low), b (medium)"
