"""What is signed says of which kind it is, and until when."""

import json

import pytest

from server.protocol.approvals import kinds
from server.protocol.policy.action_types import read_action_type
from server.protocol.policy.pointers import InvalidActionType
from server.services.policy.displays import rfc3339
from tests.support.builders.clock import NOON
from tests.support.builders.installation import PAYMENT


def test_the_two_kinds_have_types_of_their_own():
    """So a signature under one never passes for the other, nor for an agent's action."""
    consent = kinds.consent_details(kinds.ConsentTerms("2026-12-01T00:00:00.000Z", "sayso_app_x"))
    device = kinds.device_details(kinds.DeviceTerms("k", "laptop", "192.0.2.7", "BCDF-GHJK"))
    assert consent == {
        "type": "sayso:consent",
        "until": "2026-12-01T00:00:00.000Z",
        "app": "sayso_app_x",
    }
    assert device == {
        "type": "sayso:device",
        "key": "k",
        "name": "laptop",
        "address": "192.0.2.7",
        "code": "BCDF-GHJK",
    }


@pytest.mark.parametrize("moment", [NOON, NOON + 1, NOON + 999, 1_700_000_000_123])
def test_the_end_is_read_back_to_the_millisecond(moment):
    """What was signed is what counts."""
    terms = kinds.ConsentTerms(rfc3339(moment), None)
    assert kinds.signed_end(json.loads(json.dumps(kinds.consent_details(terms)))) == moment


@pytest.mark.parametrize("name", ["sayso:consent", "sayso:device", "sayso:anything"])
def test_nobody_registers_a_type_of_ours(name):
    """Otherwise an agent could ask for what reads like a consent."""
    with pytest.raises(InvalidActionType, match="reserved for Sayso"):
        read_action_type({**PAYMENT, "type": name})
