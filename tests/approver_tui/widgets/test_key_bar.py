"""The key bar has at most two lines and always shows help and the way out."""

import pytest

from approver_tui.screens.keys import (
    APPROVE_KEYS,
    BATCH_KEYS,
    DENY_KEYS,
    inbox_keys,
    results_keys,
    retry_keys,
)
from approver_tui.state.text import SafeText
from approver_tui.widgets.key_bar import fit
from tests.support.fakes.fake_approvals import an_approval

EXPIRED = an_approval("pay")
BARS = {
    "inbox": inbox_keys(is_reading=False, can_undo=False),
    "waiting": inbox_keys(is_reading=False, can_undo=True),
    "expired": inbox_keys(
        is_reading=False,
        can_undo=True,
        first=retry_keys(EXPIRED, EXPIRED.expires_at, SafeText("")),
    ),
    "reading": inbox_keys(is_reading=True, can_undo=True),
    "selected": inbox_keys(is_reading=True, can_undo=True, selected=120),
    "approve": APPROVE_KEYS,
    "batch": BATCH_KEYS,
    "results": results_keys(can_undo=True),
    "deny": DENY_KEYS,
}


@pytest.mark.parametrize("width", [24, 32, 40, 45, 60, 80, 100])
@pytest.mark.parametrize("name", BARS)
def test_help_and_the_way_out_are_never_dropped(name, width):
    """At any width, two lines have room for both hints."""
    lines = fit(BARS[name], width)
    drawn = ["  ".join(hint.text for hint in line) for line in lines]
    assert len(lines) <= 2
    assert all(len(line) <= width for line in drawn)
    kept = [hint for hint in BARS[name] if hint.is_kept]
    assert len(kept) == 2
    assert all(any(hint in line for line in lines) for hint in kept)


def test_the_retry_key_is_shown_at_forty_columns():
    """For an expired request, asking for a retry is the only action left."""
    assert "R" in [hint.key_text for line in fit(BARS["expired"], 40) for hint in line]


@pytest.mark.parametrize("width", [40, 120])
def test_a_key_that_does_nothing_is_not_shown(width):
    """An unavailable key does not take the place of one that works."""
    keys = inbox_keys(is_reading=False, can_undo=False, off=frozenset("e!"))
    shown = [hint.key_text for line in fit(keys, width) for hint in line]
    assert not {"e", "!"} & set(shown)
    assert "s" in shown


@pytest.mark.parametrize("name", ["inbox", "reading", "selected"])
def test_approve_and_deny_are_shown_at_forty_columns(name):
    """Approving and denying are the last actions that a narrow screen would drop."""
    shown = [hint.key_text for line in fit(BARS[name], 40) for hint in line]
    assert "a" in shown
    assert "d" in shown
