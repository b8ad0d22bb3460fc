"""The push state of a browser on the devices page."""

from dataclasses import replace

import pytest

from approver_tui.state.devices.devices import Browser
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.consents.rights import device_lines
from approver_tui.widgets.lines import text_of
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import MINUTE

PUSH = Browser("sayso_dv_aaaaaaaaaaaaaaaa", SafeText("https://push.example"))
PHONE = a_device(kind=SafeText("browser"), name=SafeText("phone"))


def _text(device):
    return " ".join(
        " ".join(map(text_of, device_lines(device, RenderContext(NOW, None, 90)))).split()
    )


@pytest.mark.parametrize(
    ("browsers", "words"),
    [
        ((), "Notified no; allow notifications on its page"),
        ((PUSH,), "Notified not yet, through push.example"),
        ((replace(PUSH, delivered_at=NOW - 3 * MINUTE),), "last 3 min ago, through push.example"),
        ((replace(PUSH, is_dormant=True),), "not yet; not opened for two weeks"),
        ((replace(PUSH, problem=SafeText("403")),), "push.example rejects messages: 403"),
        ((replace(PUSH, lost_at=NOW),), "open Sayso there"),
    ],
)
def test_the_push_state_of_a_browser_is_shown(browsers, words):
    """The text says when the last message was delivered, or why none is."""
    assert words in _text(replace(PHONE, browsers=browsers))


def test_terminals_and_revoked_devices_have_no_push_state():
    """A terminal alerts where it runs, and a revoked device gets no messages."""
    assert "Notified" not in _text(a_device())
    assert "Notified" not in _text(replace(PHONE, is_active=False))
