"""How far back a filter looks."""

from approver_tui.state.approvals.search_span import MOST, SearchSpan


def test_it_rests_once_a_screenful_fits_or_so_many_were_looked_at():
    """Whichever comes first."""
    look = SearchSpan()
    assert look.goes_on(19, MOST - 1)
    assert not look.goes_on(20, 50)
    assert not look.goes_on(0, MOST)


def test_it_goes_on_from_where_it_rested():
    """For as many more."""
    further = SearchSpan.beyond(20, MOST)
    assert further.goes_on(39, 2 * MOST - 1)
    assert not further.goes_on(40, MOST)
    assert not further.goes_on(20, 2 * MOST)
