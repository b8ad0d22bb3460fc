"""The objects of a user: a device, consents, and tokens that act for her."""

from dataclasses import replace
from typing import Any
from zlib import crc32

from approver_tui.state.consents.consents import Consent, ConsentState
from approver_tui.state.devices.devices import Device, PinState
from approver_tui.state.text import SafeText
from approver_tui.state.tokens.delegations import Actor, Delegation, DelegationState
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import MINUTE

_THIS_DEVICE = "sayso_dv_aaaaaaaaaaaaaaaa"


def a_device(*, tries: int = 0, high_from: int = 0, **changes: Any) -> Device:
    """Return the device on which the app runs."""
    pin = PinState(tries=tries, left=10 - tries, locked=tries >= 10, exhausted=False)
    device = Device(
        id=_THIS_DEVICE,
        name=SafeText("laptop"),
        kind=SafeText("terminal"),
        is_active=True,
        created_at=NOW - 100 * MINUTE,
        last_seen_at=None,
        high_from=high_from,
        is_this=True,
        session_key="s",
        low_key="l",
        high_key="h",
        pin=pin,
        nonce="n",
    )
    return replace(device, **changes)


def a_consent(name: str = "invoice-bot", **changes: Any) -> Consent:
    """Return a consent that is active for one more day."""
    consent = Consent(
        id=SafeText(f"sayso_co_{crc32(name.encode()):016d}"),
        state=ConsentState.LIVE,
        client_id=SafeText(f"sayso_ag_{crc32(name.encode()):016d}"),
        client_name=SafeText(name),
        app_name=None,
        resource=SafeText("https://pay.example"),
        scopes=(SafeText("payments:read"),),
        created_at=NOW - 600 * MINUTE,
        expires_at=NOW + 1440 * MINUTE,
        revoked_at=None,
    )
    return replace(consent, **changes)


def a_token(name: str = "invoice-bot", **changes: Any) -> Delegation:
    """Return a token that is valid for four more minutes."""
    who = Actor(f"sayso_ag_{crc32(name.encode()):016d}", SafeText(name))
    token = Delegation(
        id=f"sayso_at_{crc32(name.encode()):016d}",
        state=DelegationState.LIVE,
        client=who,
        resource=SafeText("https://pay.example"),
        scopes=(SafeText("payments:transfer"),),
        actors=(who,),
        issued_at=NOW - MINUTE,
        expires_at=NOW + 4 * MINUTE,
        last_used_at=NOW - 20_000,
        revoked_at=None,
        approval_id=SafeText("sayso_ap_aaaaaaaaaaaaaaaa"),
    )
    return replace(token, **changes)
