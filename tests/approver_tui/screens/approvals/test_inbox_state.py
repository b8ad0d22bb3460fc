"""The table: where rows stand and what the selection does."""

from approver_tui.client.wire import Page
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.state.notifications.connection import Connection, Phase
from approver_tui.widgets.approvals.rows import AnswerProgress
from tests.support.fakes.fake_approvals import an_approval, three
from tests.support.fakes.fake_client import FakeServer
from tests.support.fakes.fake_clock import NOW, FakeClock
from tests.support.fakes.fake_requests import DEPLOY

ME = FakeServer(FakeClock()).me()


def _page(*approvals):
    return Page(tuple(approvals), None, 1, NOW)


def _loaded(*approvals):
    return InboxState().loaded(ME, _page(*approvals), in_order=True)


def test_the_first_row_is_selected_at_first():
    """An empty table selects nothing."""
    assert _loaded(*three()).selected == three()[0].id
    assert _loaded().selected is None


def test_a_reload_that_is_not_asked_for_moves_nothing():
    """New ones go below; a row the server no longer lists stays until it is looked up."""
    first, second, third = three()
    late = an_approval("late", DEPLOY, left=1000)
    table = _loaded(first, second).moved_to(second.id)
    after = table.loaded(ME, _page(late, first, third), in_order=False)
    assert [row.id for row in after.inbox.rows] == [first.id, second.id, late.id, third.id]
    assert after.arrived == {late.id, third.id}
    assert after.selected == second.id
    assert table.unlisted(_page(late, first), NOW) == (second.id,)


def test_a_row_with_an_answer_under_way_survives_a_refresh():
    """Nobody loses sight of an answer that is not known yet."""
    first, second, _third = three()
    table = _loaded(first, second).busy(second.id, AnswerProgress.CHECKING)
    after = table.loaded(ME, _page(first), in_order=True)
    assert after.inbox.find(second.id) is not None


def test_a_selection_that_is_gone_goes_to_its_place():
    """Not to the top, and not out of the list."""
    first, second, third = three()
    table = _loaded(first, second, third).moved_to(third.id)
    assert table.loaded(ME, _page(first, second), in_order=True).selected == second.id


def test_a_row_that_nobody_chose_gives_way_when_the_server_says_what_waits():
    """What stood first in an old list may stand below what came since."""
    first, second, old = three()
    opened = InboxState().remembered(_page(old))
    assert opened.selected == old.id
    now = _page(first, second, old)
    assert opened.loaded(ME, now, in_order=False).selected == first.id
    assert opened.moved_to(old.id).loaded(ME, now, in_order=False).selected == old.id


def test_what_the_app_was_opened_at_is_selected_as_soon_as_it_is_there():
    """Also where it was not in the list of the last time."""
    first, second, old = three()
    opened = InboxState(selected=second.id).remembered(_page(old))
    assert opened.loaded(ME, _page(first, second, old), in_order=False).selected == second.id
    known = InboxState(selected=old.id).remembered(_page(first, old))
    assert known.loaded(ME, _page(first, second, old), in_order=False).selected == old.id


def test_a_list_that_was_loaded_is_no_guess():
    """A later answer moves nothing."""
    first, second, old = three()
    table = InboxState().remembered(_page(old)).loaded(ME, _page(second, old), in_order=False)
    assert table.loaded(ME, _page(first, second, old), in_order=False).selected == second.id


def test_an_event_about_what_is_over_adds_no_row():
    """A late copy of a closed request is not news."""
    closed = an_approval("closed", DEPLOY, state="expired")
    assert _loaded().asked(closed).inbox.rows == ()


def test_the_age_of_the_screen_stands_still_while_offline():
    """Only a live feed makes the table fresh."""
    table = _loaded(*three())
    assert table.connected(Connection(Phase.LIVE)).fresh(NOW + 5).fresh_at == NOW + 5
    assert table.connected(Connection(Phase.OFFLINE)).fresh(NOW + 5).fresh_at == NOW


def test_the_table_is_as_fresh_as_the_server_was_last_heard():
    """Not as the clock; a list that came after that counts for itself."""
    live = _loaded(*three()).connected(Connection(Phase.LIVE))
    assert live.fresh(None).fresh_at == NOW
    assert live.fresh(NOW - 5).fresh_at == NOW
