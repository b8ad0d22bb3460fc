"""The state of the inbox: rows and selection."""

from approver_tui.client.wire import Page
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.state.notifications.connection import Connection, Phase
from approver_tui.widgets.approvals.rows import AnswerProgress
from tests.support.fakes.fake_approvals import an_approval, three_approvals
from tests.support.fakes.fake_client import FakeServer
from tests.support.fakes.fake_clock import NOW, FakeClock
from tests.support.fakes.fake_requests import DEPLOY

ME = FakeServer(FakeClock()).me()


def _page(*approvals):
    return Page(tuple(approvals), None, 1, NOW)


def _loaded(*approvals):
    return InboxState().with_loaded(ME, _page(*approvals), in_order=True)


def test_the_first_row_is_selected_at_first():
    """The first row is selected; an empty list has no selection."""
    assert _loaded(*three_approvals()).cursor_id == three_approvals()[0].id
    assert _loaded().cursor_id is None


def test_an_automatic_reload_moves_nothing():
    """New rows are appended, and a row that is not listed any more stays until it is fetched."""
    first, second, third = three_approvals()
    late = an_approval("late", DEPLOY, expires_in=1000)
    table = _loaded(first, second).with_cursor(second.id)
    after = table.with_loaded(ME, _page(late, first, third), in_order=False)
    assert [row.id for row in after.inbox.rows] == [first.id, second.id, late.id, third.id]
    assert after.arrived_ids == {late.id, third.id}
    assert after.cursor_id == second.id
    assert table.missing_from(_page(late, first), NOW) == (second.id,)


def test_a_row_with_an_answer_in_progress_survives_a_refresh():
    """A row stays in the list while the result of its answer is unknown."""
    first, second, _third = three_approvals()
    table = _loaded(first, second).with_progress(second.id, AnswerProgress.CHECKING)
    after = table.with_loaded(ME, _page(first), in_order=True)
    assert after.inbox.find(second.id) is not None


def test_a_lost_selection_moves_to_the_row_in_its_place():
    """If the selected row disappears, a neighboring row is selected, not the first."""
    first, second, third = three_approvals()
    table = _loaded(first, second, third).with_cursor(third.id)
    assert table.with_loaded(ME, _page(first, second), in_order=True).cursor_id == second.id


def test_a_default_selection_moves_to_the_new_first_row():
    """A selection that the user made stays, but the default one moves to the new first row."""
    first, second, old = three_approvals()
    opened = InboxState().with_last_known(_page(old))
    assert opened.cursor_id == old.id
    now = _page(first, second, old)
    assert opened.with_loaded(ME, now, in_order=False).cursor_id == first.id
    assert opened.with_cursor(old.id).with_loaded(ME, now, in_order=False).cursor_id == old.id


def test_the_initial_request_is_selected_once_it_is_listed():
    """The request is selected even if the stored list did not contain it."""
    first, second, old = three_approvals()
    opened = InboxState(cursor_id=second.id).with_last_known(_page(old))
    assert opened.with_loaded(ME, _page(first, second, old), in_order=False).cursor_id == second.id
    known = InboxState(cursor_id=old.id).with_last_known(_page(first, old))
    assert known.with_loaded(ME, _page(first, second, old), in_order=False).cursor_id == old.id


def test_a_loaded_list_has_no_default_selection():
    """Once a list was loaded from the server, a later load does not move the selection."""
    first, second, old = three_approvals()
    table = (
        InboxState().with_last_known(_page(old)).with_loaded(ME, _page(second, old), in_order=False)
    )
    assert table.with_loaded(ME, _page(first, second, old), in_order=False).cursor_id == second.id


def test_the_first_request_of_an_empty_list_is_not_set_apart():
    """The first request needs no heading for new requests, but the next one does."""
    first, second, _ = three_approvals()
    table = _loaded().with_request(first)
    assert (table.cursor_id, table.arrived_ids) == (first.id, frozenset())
    assert table.with_request(second).arrived_ids == {second.id}
    assert _loaded().with_loaded(ME, _page(first), in_order=False).arrived_ids == frozenset()


def test_an_event_about_an_ended_request_adds_no_row():
    """A late event about an expired request does not add it to the list."""
    closed = an_approval("closed", DEPLOY, state="expired")
    assert _loaded().with_request(closed).inbox.rows == ()


def test_the_age_of_the_data_stops_while_offline():
    """Contact with the server makes the data current only while the feed is live."""
    table = _loaded(*three_approvals())
    assert table.with_connection(Connection(Phase.LIVE)).with_contact(NOW + 5).fresh_at == NOW + 5
    assert table.with_connection(Connection(Phase.OFFLINE)).with_contact(NOW + 5).fresh_at == NOW


def test_the_data_is_as_old_as_the_last_contact():
    """Without a contact after the last load, the data is as old as that load."""
    live = _loaded(*three_approvals()).with_connection(Connection(Phase.LIVE))
    assert live.with_contact(None).fresh_at == NOW
    assert live.with_contact(NOW - 5).fresh_at == NOW
