"""Which approvals a person wants to see."""

import pytest

from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_approval
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.filters import Filter, read_span
from approver_tui.state.risks import Risk
from tests.support.builders.approval_texts import AGENT, NOW, when, wire_approval

_DECIDED = {
    "decision": "deny",
    "by": {"id": "u", "name": "alice"},
    "device": {"id": "d", "name": "laptop"},
    "at": when(NOW + 5_000),
    "channel": "terminal",
    "code": None,
    "note": None,
    "ceremony": "none",
    "self_approved": False,
}
DENIED = {"state": "denied", "decided": _DECIDED, "over_at": when(NOW + 5_000)}


def approval(risk="medium", **outer):
    """An approval as it was read."""
    return read_approval(JsonObject(wire_approval(risk=risk, outer=outer)))


def test_without_a_condition_everything_fits():
    """And a filter says whether it has one."""
    assert Filter().fits(approval())
    assert not Filter()
    assert Filter(agent="x")


def test_a_risk_means_that_much_or_more():
    """Whoever asks for high wants to know of critical too."""
    wanted = Filter(risk=Risk.HIGH)
    assert [wanted.fits(approval(risk)) for risk in Risk] == [False, False, True, True]


def test_an_agent_is_named_by_name_or_id():
    """In capitals or not."""
    assert all(
        Filter(agent=name).fits(approval()) for name in ("invoice-bot", "Invoice-Bot", AGENT)
    )
    assert not Filter(agent="invoice").fits(approval())


def test_a_decision_is_one_that_was_given():
    """What nobody answered was neither approved nor denied."""
    denied, expired = approval(**DENIED), approval(state="expired")
    assert Filter(decision=Answer.DENY).fits(denied)
    assert not Filter(decision=Answer.APPROVE).fits(denied)
    assert not Filter(decision=Answer.DENY).fits(expired)
    assert Filter(undecided=True).fits(expired)
    assert not Filter(undecided=True).fits(denied)


@pytest.mark.parametrize(
    ("outer", "ended"),
    [
        (DENIED, NOW + 5_000),
        ({"state": "expired"}, NOW + 600_000),
        ({"state": "cancelled", "over_at": when(NOW + 7_000)}, NOW + 7_000),
    ],
)
def test_an_approval_is_as_old_as_its_end(outer, ended):
    """However it ended, by the server's word; what only ran out, by when it could last."""
    assert Filter(since=ended).fits(approval(**outer))
    assert not Filter(since=ended + 1).fits(approval(**outer))


def test_looking_back_stops_at_what_is_too_old_for_certain():
    """Without a moment to look back to, nothing is."""
    assert not Filter().is_past(approval(**DENIED))
    assert Filter(since=NOW + 5_001).is_past(approval(**DENIED))
    assert not Filter(since=NOW + 5_000).is_past(approval(**DENIED))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600)],
)
def test_a_span_is_a_number_and_a_unit(text, seconds):
    """As a person writes it."""
    assert read_span(text) == seconds * 1_000


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "7y", "1.5h", "٣d", "100000d"])
def test_anything_else_is_no_span(text):
    """The error says how one is written."""
    with pytest.raises(ValueError, match="7d"):
        read_span(text)
