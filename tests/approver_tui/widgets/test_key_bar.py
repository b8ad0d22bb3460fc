"""The key bar: two lines at most, the way out and the help always on them."""

import pytest

from approver_tui.screens.keys import approve_keys, deny_keys, inbox_keys
from approver_tui.widgets.key_bar import fit

BARS = {
    "inbox": inbox_keys(is_reading=False, can_take_back=False, approve_off=True, deny_off=True),
    "waiting": inbox_keys(is_reading=False, can_take_back=True, approve_off=True, deny_off=True),
    "reading": inbox_keys(is_reading=True, can_take_back=True, approve_off=True, deny_off=True),
    "approve": approve_keys(),
    "deny": deny_keys(),
}


@pytest.mark.parametrize("width", [24, 32, 40, 45, 60, 80, 100])
@pytest.mark.parametrize("name", BARS)
def test_help_and_the_way_out_are_never_clipped(name, width):
    """However narrow: what is kept is whole, on two lines, and within the width."""
    lines = fit(BARS[name], width)
    drawn = ["  ".join(hint.text for hint in line) for line in lines]
    assert len(lines) <= 2
    assert all(len(line) <= width for line in drawn)
    kept = [hint for hint in BARS[name] if hint.is_kept]
    assert len(kept) == 2
    assert all(any(hint in line for line in lines) for hint in kept)


@pytest.mark.parametrize("name", ["inbox", "reading"])
def test_the_keys_that_decide_are_there_at_forty_columns(name):
    """Approve and Deny give way last."""
    shown = [hint.shown for line in fit(BARS[name], 40) for hint in line]
    assert "a" in shown
    assert "d" in shown
