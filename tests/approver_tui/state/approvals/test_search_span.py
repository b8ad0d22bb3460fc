"""How far a filter searches back."""

from approver_tui.state.approvals.search_span import MAX_SCANNED, SearchSpan


def test_a_search_pauses_after_enough_matches_or_requests():
    """The search pauses at 20 matches or at the limit of scanned requests, whichever is first."""
    span = SearchSpan()
    assert span.should_continue(19, MAX_SCANNED - 1)
    assert not span.should_continue(20, 50)
    assert not span.should_continue(0, MAX_SCANNED)


def test_a_search_continues_where_it_paused():
    """A continued search pauses after the same number of further matches or requests."""
    next_span = SearchSpan.beyond(20, MAX_SCANNED)
    assert next_span.should_continue(39, 2 * MAX_SCANNED - 1)
    assert not next_span.should_continue(40, MAX_SCANNED)
    assert not next_span.should_continue(20, 2 * MAX_SCANNED)
