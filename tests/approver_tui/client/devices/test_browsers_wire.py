"""How browsers are called, as the server tells it."""

import pytest

from approver_tui.client.devices.browsers_wire import read_browsers
from approver_tui.client.errors import WireError
from approver_tui.client.reading import JsonObject
from approver_tui.state.devices.devices import Browser
from tests.support.builders.approval_texts import NOW, when

DEVICE = {"id": "sayso_dv_b", "name": "phone"}
CALLED = {
    "id": "sayso_ps_a",
    "device": DEVICE,
    "service": "https://push.example",
    "delivered_at": when(NOW),
    "dormant": False,
    "problem": None,
}
LOST = {"id": "sayso_ps_b", "device": DEVICE, "service": "https://push.example"}


def test_those_that_are_called_come_before_those_that_are_lost():
    """Each with the device to which it belongs."""
    found = read_browsers(JsonObject({"items": [CALLED], "lost": [{**LOST, "lost_at": when(NOW)}]}))
    assert found == (
        Browser("sayso_dv_b", "https://push.example", delivered_at=NOW),
        Browser("sayso_dv_b", "https://push.example", lost_at=NOW),
    )


def test_a_member_that_is_missing_is_named():
    """Half of a document is none."""
    with pytest.raises(WireError, match="lost_at"):
        read_browsers(JsonObject({"items": [], "lost": [LOST]}))
