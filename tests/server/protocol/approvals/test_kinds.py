"""Signed details contain their kind and their expiry."""

import json

import pytest

from server.protocol.approvals import kinds
from server.protocol.policy.action_types import read_action_type
from server.protocol.policy.uses import InvalidActionType
from server.protocol.times import rfc3339
from tests.support.builders.clock import NOON
from tests.support.builders.installation import PAYMENT


def test_consents_and_devices_have_their_own_details_types():
    """A signature for a consent or device is never valid for another kind or an agent's action."""
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
def test_the_expiry_of_a_consent_is_read_back_to_the_millisecond(moment):
    """The expiry that is enforced is exactly the one that was signed."""
    terms = kinds.ConsentTerms(rfc3339(moment), None)
    assert kinds.signed_end(json.loads(json.dumps(kinds.consent_details(terms)))) == moment


@pytest.mark.parametrize("name", ["sayso:consent", "sayso:device", "sayso:anything"])
def test_reserved_type_names_cannot_be_registered(name):
    """Otherwise, an agent could request an action that looks like a consent."""
    with pytest.raises(InvalidActionType, match="reserved for Sayso"):
        read_action_type({**PAYMENT, "type": name})
