"""How far a filter searches back."""

from approver_tui.state.approvals.search_span import MAX_SCANNED, SearchSpan


def test_a_search_pauses_after_enough_matches_or_requests():
    """It pauses at the first of the two."""
    look = SearchSpan()
    assert look.should_continue(19, MAX_SCANNED - 1)
    assert not look.should_continue(20, 50)
    assert not look.should_continue(0, MAX_SCANNED)


def test_a_search_continues_where_it_paused():
    """It searches as many again."""
    further = SearchSpan.beyond(20, MAX_SCANNED)
    assert further.should_continue(39, 2 * MAX_SCANNED - 1)
    assert not further.should_continue(40, MAX_SCANNED)
    assert not further.should_continue(20, 2 * MAX_SCANNED)
