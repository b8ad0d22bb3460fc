"""What an approval derives from its texts."""

import pytest

from approver_tui.client.reading import Members
from approver_tui.client.wire import read_approval
from tests.support.approval_texts import wire_approval


@pytest.mark.parametrize(
    ("risk", "ceremony", "needs"),
    [
        ("low", "confirm", False),
        ("medium", "confirm", False),
        ("low", "pin", True),
        ("high", "pin", True),
        ("high", "confirm", True),
        ("critical", "confirm", True),
    ],
)
def test_high_risk_needs_the_pin_whatever_the_server_says(risk, ceremony, needs):
    """A server can ask for more than the risk demands, never for less."""
    wire = wire_approval(risk=risk, outer={"ceremony": ceremony})
    assert read_approval(Members(wire)).needs_pin is needs
