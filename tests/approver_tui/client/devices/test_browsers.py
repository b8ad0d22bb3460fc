"""Browsers with push notifications, as the server returns them."""

import pytest

from approver_tui.client.errors import WireError
from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_browsers
from approver_tui.state.devices.devices import Browser
from tests.support.builders.approval_texts import NOW, to_rfc3339

DEVICE = {"id": "sayso_dv_b", "name": "phone"}
ACTIVE = {
    "id": "sayso_ps_a",
    "device": DEVICE,
    "service": "https://push.example",
    "delivered_at": to_rfc3339(NOW),
    "dormant": False,
    "problem": None,
}
LOST = {"id": "sayso_ps_b", "device": DEVICE, "service": "https://push.example"}


def test_active_browsers_come_before_lost_ones():
    """Each browser is returned with its device; a lost one also has the time of its loss."""
    browsers = read_browsers(
        JsonObject({"items": [ACTIVE], "lost": [{**LOST, "lost_at": to_rfc3339(NOW)}]})
    )
    assert browsers == (
        Browser("sayso_dv_b", "https://push.example", delivered_at=NOW),
        Browser("sayso_dv_b", "https://push.example", lost_at=NOW),
    )


def test_a_missing_member_is_named():
    """An incomplete document is rejected, and the error names the missing member."""
    with pytest.raises(WireError, match="lost_at"):
        read_browsers(JsonObject({"items": [], "lost": [LOST]}))
