"""The display texts of consents and device sign-ins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from server.model.display_names import TERMINAL, Party
from server.model.users import User
from server.protocol.approvals.kinds import AppDeviceTerms, DeviceTerms
from server.protocol.json_text import JsonValue
from server.protocol.names import APPROVER_CLIENT
from server.protocol.policy.risks import Risk
from server.protocol.text import display_safe
from server.services.policy import displays
from server.services.policy.displays import Display

_MAX_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class ConsentDisplay:
    """The input for a consent's display text."""

    approval_id: str
    party: Party
    app_name: str | None
    """The app whose page asks on behalf of an agent."""
    user: User
    resource: str
    scopes: Mapping[str, Risk]
    had: tuple[str, ...]
    """The scopes that the client can already use."""
    until: int
    risk: Risk
    first_request: bool
    peer: str
    asked_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class DeviceDisplay:
    """The input for a device sign-in's display text."""

    approval_id: str
    terms: DeviceTerms
    user: User
    resource: str
    asked_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class AppDeviceDisplay:
    """The input for the display text of an app's sign-in on a device."""

    approval_id: str
    terms: AppDeviceTerms
    party: Party
    user: User
    resource: str
    openid: tuple[str, ...]
    scopes: Mapping[str, Risk]
    """The resource's scopes, with their risks."""
    had: tuple[str, ...]
    until: int
    risk: Risk
    asked_at: int
    expires_at: int


def consent_text(request: ConsentDisplay) -> str:
    """Create the display text for a consent."""
    party, until = request.party, time_text(request.until)
    name = display_safe(party.name)
    return displays.canonical_display(
        Display(
            approval_id=request.approval_id,
            kind="consent",
            risk=request.risk,
            risk_reason=_risk_reason(request),
            title="Consent",
            headline=_safe(f"Let {name} act for you at {request.resource} until {until}"),
            facts=_consent_facts(request),
            scopes=request.scopes,
            resource=request.resource,
            undo="You can revoke it at any time (sayso-approver revoke); its tokens end with it.",
            why="A consent covers future requests, so it needs your signature.",
            gives=_safe(
                f"Until {until} {name} gets access tokens for {request.resource} in your name with "
                "these scopes, without asking you each time. Policy can still require your "
                "approval."
            ),
            agent=displays.agent_member(
                party.id, party.name, party.owners, first_request=request.first_request
            ),
            user=request.user,
            peer=request.peer,
            asked_at=request.asked_at,
            expires_at=request.expires_at,
        )
    )


def device_text(request: DeviceDisplay) -> str:
    """Create the display text for a device sign-in."""
    terms = request.terms
    facts = [
        _fact("New device", terms.name),
        _fact("Address", terms.address),
        _fact("Code shown", terms.code),
        _fact(
            "Careful",
            "Approve only if you started this sign-in yourself, just now, and the new device shows "
            "this code. If somebody sent you the code, deny.",
        ),
        _fact("Device key", terms.key, material=False),
    ]
    return displays.canonical_display(
        Display(
            approval_id=request.approval_id,
            kind="device",
            risk=Risk.HIGH,
            risk_reason="Anybody with the new device can approve in your name.",
            title="Device sign-in",
            headline=_safe(f"Let a new device sign in as {display_safe(request.user.name)}"),
            facts=facts,
            scopes={},
            resource=request.resource,
            undo="You can revoke the device at any time. Its earlier approvals stay valid.",
            why="Only one of your devices can sign in a new one.",
            gives="The new device can see and answer every request to you, including high risk.",
            agent=displays.agent_member(APPROVER_CLIENT, TERMINAL, (), first_request=False),
            user=request.user,
            peer=terms.address,
            asked_at=request.asked_at,
            expires_at=request.expires_at,
        )
    )


def app_device_text(request: AppDeviceDisplay) -> str:
    """Create the display text for an app's sign-in on a device."""
    name, until = display_safe(request.party.name), time_text(request.until)
    purpose = (
        f"act for you at {request.resource} until {until}" if request.scopes else "know who you are"
    )
    gives = (
        f"Until {until} {name} gets access tokens for {request.resource} in your name with these "
        "scopes, on that device, without asking you each time."
    )
    return displays.canonical_display(
        Display(
            approval_id=request.approval_id,
            kind="app_device",
            risk=request.risk,
            risk_reason="Anybody with that device can act in your name.",
            title="App sign-in on a device",
            headline=_safe(f"Let {name} on another device {purpose}"),
            facts=_app_device_facts(request),
            scopes={**dict.fromkeys(request.openid, Risk.LOW), **request.scopes},
            resource=request.resource,
            undo="You can revoke it at any time (sayso-approver revoke); its tokens end with it.",
            why="Only one of your devices can sign in an app on a different one.",
            gives=_safe(gives if request.scopes else f"{name} learns who you are, on that device."),
            agent=displays.agent_member(
                request.party.id, request.party.name, (), first_request=False
            ),
            user=request.user,
            peer=request.terms.address,
            asked_at=request.asked_at,
            expires_at=request.expires_at,
        )
    )


def _app_device_facts(request: AppDeviceDisplay) -> list[JsonValue]:
    facts = [_fact("App", request.party.name)]
    if request.scopes:
        facts.append(_fact("At", request.resource))
    facts += _scope_facts(request.scopes, request.had)
    if request.openid:
        facts.append(
            _fact("Learns", ", ".join(_SCOPE_DESCRIPTIONS[name] for name in request.openid))
        )
    if request.scopes:
        facts.append(_fact("Until", time_text(request.until)))
    return [
        *facts,
        _fact("Address", request.terms.address),
        _fact("Code shown", request.terms.code),
        _fact(
            "Careful",
            "Approve only if you started this yourself, just now, and the device in front of you "
            "shows this code. If somebody sent you the code, deny.",
        ),
    ]


_SCOPE_DESCRIPTIONS: Final = {
    "openid": "that it is you, by an id that stays the same",
    "profile": "your name",
    "email": "your email address",
}


def _scope_facts(scopes: Mapping[str, Risk], had: tuple[str, ...]) -> list[JsonValue]:
    return [
        _fact("May use", f"{name} ({risk} risk{', as before' if name in had else ''})")
        for name, risk in sorted(scopes.items())
    ]


def time_text(moment: int) -> str:
    """Render a time."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _consent_facts(request: ConsentDisplay) -> list[JsonValue]:
    party = request.party
    facts = [_fact("Agent" if party.kind == "agent" else "App", party.name)]
    if party.kind == "agent":
        facts.append(_fact("Owner", ", ".join(party.owners) or "nobody"))
    if not party.verified:
        facts.append(_fact("Verified", "no, this client is not registered"))
    facts.append(_fact("At", request.resource))
    facts += _scope_facts(request.scopes, request.had)
    facts.append(_fact("Until", time_text(request.until)))
    if request.app_name is not None:
        facts.append(_fact("Asked by", f"the app {display_safe(request.app_name)}"))
    return facts


def _risk_reason(request: ConsentDisplay) -> str:
    return _safe(displays.risk_causes(sorted(request.scopes.items()), request.risk))


def _fact(label: str, value: str, *, material: bool = True) -> JsonValue:
    return {"label": label, "value": _safe(value), "material": material}


def _safe(text: str) -> str:
    return display_safe(text, max_chars=_MAX_CHARACTERS)
