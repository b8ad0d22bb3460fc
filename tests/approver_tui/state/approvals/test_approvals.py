"""Properties that an approval derives from its texts."""

from dataclasses import replace

import pytest

from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_approval
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.fingerprint import fingerprint
from approver_tui.state.text import SafeText
from tests.support.builders.approval_texts import AGENT, NOW, wire_approval


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
    """A server can require the PIN more often, but never less often."""
    wire = wire_approval(risk=risk, outer={"ceremony": ceremony})
    assert read_approval(JsonObject(wire)).needs_pin is needs


@pytest.mark.parametrize(
    ("kind", "state", "retry", "late", "is_expired"),
    [
        ("action", "pending", None, False, False),
        ("action", "pending", None, True, True),
        ("action", "expired", "possible", True, True),
        ("action", "expired", "asked", True, False),
        ("action", "expired", None, True, False),
        ("action", "denied", None, True, False),
    ],
)
def test_only_an_expired_agent_request_can_be_retried(kind, state, retry, late, is_expired):
    """A request has expired if the server says so or if its time has passed."""
    wire = wire_approval(outer={"kind": kind, "state": state, "retry": retry})
    approval = read_approval(JsonObject(wire))
    assert approval.is_expired(approval.expires_at if late else NOW) is is_expired


def test_what_is_drawn_is_what_was_signed():
    """Headline, agent, message and fingerprint come from the two signed texts."""
    wire = wire_approval(outer={"agent": {"id": AGENT, "name": "other"}})
    approval = read_approval(JsonObject(wire))
    assert approval.headline == approval.display.headline
    assert approval.agent.name == "invoice-bot"
    assert approval.agent_says == "The invoice is due today."
    assert approval.fingerprint == fingerprint(wire["action"])


@pytest.mark.parametrize(
    ("state", "moment", "waits"),
    [
        ("pending", NOW + 599_999, True),
        ("pending", NOW + 600_000, False),
        ("approved", NOW, False),
        ("cancelled", NOW, False),
    ],
)
def test_only_a_pending_unexpired_request_is_waiting(state, moment, waits):
    """The expiry in the signed text counts."""
    approval = read_approval(JsonObject(wire_approval(outer={"state": state})))
    assert approval.expires_at == NOW + 600_000
    assert approval.is_waiting(moment) is waits


def test_a_replaced_request_is_superseded():
    """A superseded request is shown as withdrawn, but it is told apart from other withdrawals."""
    superseded = replace(
        read_approval(JsonObject(wire_approval())),
        state=ApprovalState.CANCELLED,
        reason=SafeText("superseded"),
    )
    assert (superseded.was_superseded, superseded.state_text) == (True, "withdrawn")
    assert not replace(superseded, reason=SafeText("withdrawn")).was_superseded
