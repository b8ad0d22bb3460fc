"""The display texts of consents and device sign-ins."""

from server.model.approval_requests import Display
from server.model.display_names import TERMINAL
from server.model.users import User
from server.protocol.approvals.kinds import AppDeviceTerms, DeviceTerms
from server.protocol.json_text import JsonValue
from server.protocol.names import APPROVER_CLIENT
from server.protocol.policy.risks import Risk, highest
from server.protocol.text import display_safe
from server.protocol.times import time_text
from server.protocol.users import claims
from server.services.consents.offers import ConsentOffer, RequestedConsent
from server.services.policy import displays

_MAX_CHARACTERS = 2_000


def consent_display(
    request: RequestedConsent, offer: ConsentOffer, app_name: str | None, *, first_request: bool
) -> Display:
    """Return what approvers see of a consent. An app, `app_name`, may ask on behalf of an agent."""
    party, until = offer.party, time_text(offer.until)
    name = display_safe(party.name)
    return Display(
        kind="consent",
        risk=offer.risk,
        risk_reason=safe_text(displays.risk_causes(sorted(offer.risks.items()), offer.risk)),
        title="Consent",
        headline=safe_text(f"Let {name} act for you at {request.resource} until {until}"),
        facts=_consent_facts(request.resource, offer, app_name),
        scopes=offer.risks,
        resource=request.resource,
        undo="You can revoke it at any time (sayso-approver revoke); its tokens end with it.",
        why="A consent covers future requests, so it needs your signature.",
        gives=safe_text(
            f"Until {until} {name} gets access tokens for {request.resource} in your name with "
            "these scopes, without asking you each time. Policy can still require your "
            "approval."
        ),
        agent=displays.agent_member(
            party.id, party.name, party.owners, first_request=first_request
        ),
        user=request.user,
        peer=request.peer,
    )


def device_display(terms: DeviceTerms, user: User, resource: str) -> Display:
    """Return what approvers see of a device sign-in."""
    facts = [
        fact("New device", terms.name),
        fact("Address", terms.address),
        fact("Code shown", terms.code),
        fact(
            "Warning",
            "Approve only if you started this sign-in yourself, just now, and the new device shows "
            "this code. If somebody sent you the code, deny.",
        ),
        fact("Device key", terms.key, material=False),
    ]
    return Display(
        kind="device",
        risk=Risk.HIGH,
        risk_reason="Anybody with the new device can approve in your name.",
        title="Device sign-in",
        headline=safe_text(f"Let a new device sign in as {display_safe(user.name)}"),
        facts=facts,
        scopes={},
        resource=resource,
        undo="You can revoke the device at any time. Its earlier approvals stay valid.",
        why="Only one of your devices can sign in a new one.",
        gives="The new device can see and answer every request to you, including high risk.",
        agent=displays.agent_member(APPROVER_CLIENT, TERMINAL, (), first_request=False),
        user=user,
        peer=terms.address,
    )


def app_device_display(
    terms: AppDeviceTerms, offer: ConsentOffer, openid: tuple[str, ...], user: User, resource: str
) -> Display:
    """Return what approvers see of an app's sign-in on a device."""
    name, until = display_safe(offer.party.name), time_text(offer.until)
    purpose = f"act for you at {resource} until {until}" if offer.risks else "read your identity"
    gives = (
        f"Until {until} {name} gets access tokens for {resource} in your name with these scopes, "
        "on that device, without asking you each time."
        if offer.risks
        else f"On that device, {name} can read {claims.in_words(openid)}."
    )
    return Display(
        kind="app_device",
        risk=highest([Risk.MEDIUM, offer.risk]),
        risk_reason="Anybody with that device can act in your name.",
        title="App sign-in on a device",
        headline=safe_text(f"Let {name} on another device {purpose}"),
        facts=_app_device_facts(terms, offer, openid, resource),
        scopes={**dict.fromkeys(openid, Risk.LOW), **offer.risks},
        resource=resource,
        undo="You can revoke it at any time (sayso-approver revoke); its tokens end with it.",
        why="Only one of your devices can sign in an app on a different one.",
        gives=safe_text(gives),
        agent=displays.agent_member(offer.party.id, offer.party.name, (), first_request=False),
        user=user,
        peer=terms.address,
    )


def _app_device_facts(
    terms: AppDeviceTerms, offer: ConsentOffer, openid: tuple[str, ...], resource: str
) -> list[JsonValue]:
    facts = [fact("App", offer.party.name)]
    if offer.risks:
        facts.append(fact("Resource", resource))
    facts += _scope_facts(offer)
    if openid:
        facts.append(fact("Shared data", claims.in_words(openid)))
    if offer.risks:
        facts.append(fact("Until", time_text(offer.until)))
    return [
        *facts,
        fact("Address", terms.address),
        fact("Code shown", terms.code),
        fact(
            "Warning",
            "Approve only if you started this yourself, just now, and the device in front of you "
            "shows this code. If somebody sent you the code, deny.",
        ),
    ]


def _scope_facts(offer: ConsentOffer) -> list[JsonValue]:
    return [
        fact("Scope", f"{name} ({risk} risk{', as before' if name in offer.current else ''})")
        for name, risk in sorted(offer.risks.items())
    ]


def _consent_facts(resource: str, offer: ConsentOffer, app_name: str | None) -> list[JsonValue]:
    party = offer.party
    facts = [fact("Agent" if party.kind == "agent" else "App", party.name)]
    if party.kind == "agent":
        facts.append(fact("Owner", ", ".join(party.owners) or "nobody"))
    if not party.verified:
        facts.append(fact("Verified", "no, this client is not registered"))
    facts.append(fact("Resource", resource))
    facts += _scope_facts(offer)
    facts.append(fact("Until", time_text(offer.until)))
    if app_name is not None:
        facts.append(fact("Asked by", f"the app {display_safe(app_name)}"))
    return facts


def fact(label: str, value: str, *, material: bool = True) -> JsonValue:
    """Return a fact of a display."""
    return {"label": display_safe(label), "value": safe_text(value), "material": material}


def safe_text(text: str) -> str:
    """Return a long text in display-safe form."""
    return display_safe(text, max_chars=_MAX_CHARACTERS)
