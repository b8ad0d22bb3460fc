"""The top line shows whether the app is unlocked, at any width."""

from datetime import UTC

import pytest

from approver_tui.screens.keys import PAGES
from approver_tui.state.notifications.connection import Connection, Phase
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import length, text_of
from approver_tui.widgets.top_bar import TopView, top_line
from tests.support.fakes.fake_clock import NOW


def _line(width, user, *, tabs=(), phase=Phase.LIVE, is_unlocked=True):
    title = PAGES[4] if tabs else SafeText("Inbox 12")
    view = TopView(
        title=title,
        user=SafeText(user),
        connection=Connection(phase, NOW),
        fresh_at=NOW,
        now=NOW,
        zone=UTC,
        is_unlocked=is_unlocked,
        tabs=tabs,
        waiting=12,
    )
    line = top_line(view, width)
    assert length(line) <= width
    return text_of(line)


@pytest.mark.parametrize("user", ["alice", "alice@work", "alexandra@production-europe"])
@pytest.mark.parametrize(("width", "tabs"), [(40, ()), (45, ()), (80, ()), (98, PAGES)])
def test_the_unlocked_state_is_shown_at_every_width(width, tabs, user):
    """Other pages, the clock and finally the user's name are dropped or cut instead."""
    shown = _line(width, user, tabs=tabs)
    assert "unlocked" in shown
    assert "LIVE" in shown
    assert ("Inbox 12" if not tabs else "[5 Devices]") in shown
    assert "unlocked" not in _line(width, user, tabs=tabs, is_unlocked=False)


def test_the_age_of_the_data_is_never_left_out():
    """Without a connection, the age of the data matters more than names."""
    for width, tabs in ((40, ()), (98, PAGES)):
        shown = _line(width, "alice@work", tabs=tabs, phase=Phase.OFFLINE)
        assert shown.endswith("OFFLINE data 14:32")


@pytest.mark.parametrize("user", ["me", "alice"])
def test_every_page_is_named_at_80_columns_while_the_app_is_unlocked(user):
    """Spacing, the clock and the user's name give way to the pages' names."""
    shown = _line(78, user, tabs=PAGES)
    assert all(name in shown for name in PAGES)
    assert shown.endswith("unlocked    LIVE")
    assert _line(80, user, tabs=PAGES).endswith(f"{'me' if user == 'me' else 'a…'}  LIVE")


def test_every_page_is_named_if_there_is_space():
    """With a short user name and a locked app, all pages and the clock fit."""
    shown = _line(98, "alice", tabs=PAGES, is_unlocked=False)
    assert all(name in shown for name in PAGES)
    assert shown.endswith("LIVE 14:32")
