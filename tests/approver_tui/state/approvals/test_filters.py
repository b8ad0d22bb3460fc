"""The conditions of a filter."""

import pytest

from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_approval
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.filters import MAX_SCANNED, Filter, SearchSpan, read_span
from approver_tui.state.risks import Risk
from tests.support.builders.approval_texts import AGENT, NOW, to_rfc3339, wire_approval

_DECIDED = {
    "decision": "deny",
    "by": {"id": "u", "name": "alice"},
    "device": {"id": "d", "name": "laptop"},
    "at": to_rfc3339(NOW + 5_000),
    "channel": "terminal",
    "code": None,
    "note": None,
    "ceremony": "none",
    "self_approved": False,
}
DENIED = {"state": "denied", "decided": _DECIDED, "over_at": to_rfc3339(NOW + 5_000)}


def approval(risk="medium", **outer):
    """Return an approval as the client reads it."""
    return read_approval(JsonObject(wire_approval(risk=risk, outer=outer)))


def test_an_empty_filter_matches_everything():
    """An empty filter is false, so that a list can tell whether it is filtered."""
    assert Filter().matches(approval())
    assert not Filter()
    assert Filter(agent="x")


def test_a_risk_filter_includes_higher_risks():
    """A filter for high risk also matches critical risk."""
    high_risk = Filter(risk=Risk.HIGH)
    assert [high_risk.matches(approval(risk)) for risk in Risk] == [False, False, True, True]


def test_an_agent_matches_by_name_or_id():
    """The whole name is compared, without regard to case."""
    assert all(
        Filter(agent=name).matches(approval()) for name in ("invoice-bot", "Invoice-Bot", AGENT)
    )
    assert not Filter(agent="invoice").matches(approval())


def test_a_decision_matches_decided_requests_only():
    """An expired request is neither approved nor denied."""
    denied, expired = approval(**DENIED), approval(state="expired")
    assert Filter(decision=Answer.DENY).matches(denied)
    assert not Filter(decision=Answer.APPROVE).matches(denied)
    assert not Filter(decision=Answer.DENY).matches(expired)
    assert Filter(undecided=True).matches(expired)
    assert not Filter(undecided=True).matches(denied)


@pytest.mark.parametrize(
    ("outer", "ended"),
    [
        (DENIED, NOW + 5_000),
        ({"state": "expired"}, NOW + 600_000),
        ({"state": "cancelled", "over_at": to_rfc3339(NOW + 7_000)}, NOW + 7_000),
    ],
)
def test_since_compares_the_time_when_a_request_ended(outer, ended):
    """A request ended at the time that the server sends or, without one, at its expiry."""
    assert Filter(since=ended).matches(approval(**outer))
    assert not Filter(since=ended + 1).matches(approval(**outer))


def test_searching_back_stops_at_requests_that_are_too_old():
    """A search without a start time never stops."""
    assert not Filter().is_past(approval(**DENIED))
    assert Filter(since=NOW + 5_001).is_past(approval(**DENIED))
    assert not Filter(since=NOW + 5_000).is_past(approval(**DENIED))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600)],
)
def test_a_span_is_a_number_and_a_unit(text, seconds):
    """A span such as `7d` is parsed to milliseconds."""
    assert read_span(text) == seconds * 1_000


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "7y", "1.5h", "٣d", "100000d"])
def test_any_other_span_is_rejected(text):
    """The error for an invalid span gives an example of a valid one."""
    with pytest.raises(ValueError, match="7d"):
        read_span(text)


def test_a_search_pauses_after_enough_matches_or_requests():
    """The search pauses at 20 matches or at the limit of scanned requests, whichever is first."""
    span = SearchSpan()
    assert span.should_continue(19, MAX_SCANNED - 1)
    assert not span.should_continue(20, 50)
    assert not span.should_continue(0, MAX_SCANNED)


def test_a_search_continues_where_it_paused():
    """A continued search pauses after the same number of further matches or requests."""
    next_span = SearchSpan.continuing(20, MAX_SCANNED)
    assert next_span.should_continue(39, 2 * MAX_SCANNED - 1)
    assert not next_span.should_continue(40, MAX_SCANNED)
    assert not next_span.should_continue(20, 2 * MAX_SCANNED)
