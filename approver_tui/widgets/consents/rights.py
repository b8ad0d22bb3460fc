"""Consents, tokens and devices as list entries and their details.

Owns: their wording. Never: ending or revoking any of them.
"""

from approver_tui.state.clients.access import ActingAgent
from approver_tui.state.consents.consents import Consent, ConsentState
from approver_tui.state.devices.devices import Browser, Device
from approver_tui.state.standing_grants.standing_grants import StandingGrant
from approver_tui.state.text import SafeText, pluralize
from approver_tui.state.tokens.delegations import Delegation
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.entry_list import Entry
from approver_tui.widgets.lines import BLANK, Line, Role, fmt, line, wrap_text
from approver_tui.widgets.times import age, remaining


def holdings_text(agent: ActingAgent) -> SafeText:
    """Return how many consents, tokens and, if it has any, standing grants an agent has."""
    parts = [pluralize(len(agent.consents), "consent"), pluralize(len(agent.delegations), "token")]
    if agent.grants:
        parts.insert(0, pluralize(len(agent.grants), "standing grant"))
    return SafeText(", ".join(parts))


def access_lines(agent: ActingAgent, view: RenderContext) -> list[Line]:
    """Return the details of everything an agent can act with."""
    lines = [
        *wrap_text(agent.name, view.width, Role.STRONG),
        BLANK,
        *view.row("ID", SafeText(agent.id)),
        *view.row("Last used", _age_text(agent.last_used_at, view.now)),
        *view.row("Expires", view.clock(agent.until)),
    ]
    for number, consent in enumerate(agent.consents, 1):
        lines += [BLANK, line(fmt("CONSENT {}", number), Role.HEADING)]
        lines += _consent_rows(consent, view)
    for number, token in enumerate(agent.delegations, 1):
        lines += [BLANK, line(fmt("TOKEN {}", number), Role.HEADING), *_token_rows(token, view)]
    for number, grant in enumerate(agent.grants, 1):
        lines += [BLANK, line(fmt("STANDING GRANT {}", number), Role.HEADING)]
        lines += _grant_rows(grant, view)
    return lines


def consent_entry(consent: Consent, now: int) -> Entry:
    """Return the entry of a consent."""
    is_live = consent.state is ConsentState.LIVE
    state = remaining(consent.expires_at, now) if is_live else SafeText(consent.state.value)
    scope_text = fmt("{} at {}", SafeText(", ".join(consent.scopes)), _host_name(consent.resource))
    return Entry(consent.id, consent.client_name, scope_text, state, is_over=not is_live)


def consent_lines(consent: Consent, view: RenderContext) -> list[Line]:
    """Return the details of a consent."""
    title = fmt("{} can act for you without asking", consent.client_name)
    key = view.keys.key("revoke")
    return [
        *wrap_text(title, view.width, Role.STRONG),
        BLANK,
        *_consent_rows(consent, view),
        *view.row("App", consent.app_name),
        *view.row("ID", consent.id),
        BLANK,
        *wrap_text(
            fmt("Revoking it ({}) also revokes every token issued from it.", key), view.width
        ),
    ]


def token_entry(token: Delegation, now: int) -> Entry:
    """Return the entry of a token."""
    scope_text = fmt("{} at {}", SafeText(", ".join(token.scopes)), _host_name(token.resource))
    return Entry(token.id, token.client.name, scope_text, remaining(token.expires_at, now))


def token_lines(token: Delegation, view: RenderContext) -> list[Line]:
    """Return the details of a token."""
    key = view.keys.key("revoke")
    chain = SafeText(" > ".join(actor.name for actor in reversed(token.actors)))
    return [
        *wrap_text(
            fmt("{} acts for you with this token", token.client.name), view.width, Role.STRONG
        ),
        BLANK,
        *_token_rows(token, view),
        *view.row("Through", chain or None),
        *view.row("Approval", token.approval_id),
        *view.row("Issued", view.clock(token.issued_at)),
        *view.row("ID", SafeText(token.id)),
        BLANK,
        *wrap_text(
            fmt("Revoking it ({}) also revokes every token derived from it.", key), view.width
        ),
    ]


def device_entry(device: Device, now: int) -> Entry:
    """Return the entry of a device."""
    name = fmt("{} (this device)", device.name) if device.is_this else device.name
    last_seen_at = device.last_seen_at
    seen_text = (
        fmt("not seen yet") if last_seen_at is None else fmt("seen {} ago", age(last_seen_at, now))
    )
    second_line = fmt("{}, {}", device.kind, seen_text)
    return Entry(
        device.id, name, second_line, _state_text(device, now), is_over=not device.is_active
    )


def device_lines(device: Device, view: RenderContext) -> list[Line]:
    """Return the details of a device."""
    pin = device.pin
    attempts_text = fmt("{}, {} left", pluralize(pin.tries, "wrong attempt"), pin.left)
    state = fmt("active") if device.is_active else fmt("revoked")
    start_text = fmt("from {}", view.clock(device.high_from))
    high_risk_text = start_text if device.high_from > view.now else fmt("can approve now")
    return [
        *wrap_text(device.name, view.width, Role.STRONG),
        BLANK,
        *view.row("State", state),
        *view.row("Kind", device.kind),
        *view.row("Enrolled", view.clock(device.created_at)),
        *view.row("Last seen", _age_text(device.last_seen_at, view.now)),
        *view.row("High risk", high_risk_text),
        *view.row("PIN", attempts_text),
        *_notification_rows(device, view),
        *_problem_lines(device, view),
        *view.row("ID", SafeText(device.id)),
    ]


def _notification_rows(device: Device, view: RenderContext) -> list[Line]:
    """Say whether a browser gets push notifications; a terminal needs none."""
    if device.kind != "browser" or not device.is_active:
        return []
    if not device.browsers:
        no_browser = fmt("no; allow notifications on its page")
        return view.row("Notified", no_browser, Role.ALERT)
    return [line for browser in device.browsers for line in _browser_row(browser, view)]


def _browser_row(browser: Browser, view: RenderContext) -> list[Line]:
    delivered_at = browser.delivered_at
    delivery_text = (
        fmt("not yet") if delivered_at is None else fmt("last {} ago", age(delivered_at, view.now))
    )
    if browser.lost_at is not None:
        lost_at = view.clock(browser.lost_at)
        return view.row("Notified", fmt("not since {}; open Sayso there", lost_at), Role.ALERT)
    if browser.problem:
        words = fmt("{} rejects messages: {}", _host_name(browser.service), browser.problem)
        return view.row("Notified", words, Role.ALERT)
    if browser.is_dormant:
        words = fmt("{}; not opened for two weeks", delivery_text)
        return view.row("Notified", words, Role.ALERT)
    return view.row("Notified", fmt("{}, through {}", delivery_text, _host_name(browser.service)))


def _problem_lines(device: Device, view: RenderContext) -> list[Line]:
    unlock, vouch = view.keys.key("unlock"), view.keys.key("vouch")
    if device.pin.locked:
        problem = fmt(
            "Locked after too many wrong PINs. Another device can unlock it ({}).", unlock
        )
    elif device.pin.exhausted:
        problem = fmt("This PIN has had too many wrong attempts. Log in again with a new one.")
    elif device.is_active and device.high_from > view.now:
        problem = fmt(
            "New: cannot approve high risk yet, unless another device vouches for it ({}).", vouch
        )
    else:
        return []
    return wrap_text(problem, view.width, Role.ALERT)


def _state_text(device: Device, now: int) -> SafeText:
    if not device.is_active:
        return fmt("revoked")
    if device.pin.locked:
        return fmt("locked")
    return fmt("new") if device.high_from > now else fmt("active")


def _consent_rows(consent: Consent, view: RenderContext) -> list[Line]:
    revoked_at = consent.revoked_at
    return [
        *view.row("Scopes", SafeText(", ".join(consent.scopes))),
        *view.row("Resource", consent.resource),
        *view.row("Created", view.clock(consent.created_at)),
        *view.row("Expires", view.clock(consent.expires_at)),
        *view.row("Revoked", None if revoked_at is None else view.clock(revoked_at)),
    ]


def grant_scope(grant: StandingGrant) -> SafeText:
    """Return what a standing grant allows: its action type, if any, and its scopes."""
    types = () if grant.type is None else (grant.type,)
    return SafeText(", ".join((*types, *grant.scopes)))


def _grant_rows(grant: StandingGrant, view: RenderContext) -> list[Line]:
    return [
        *view.row("Allows", grant_scope(grant)),
        *view.row("Resource", grant.resource),
        *view.row("Used", fmt("{} of {}", grant.used, grant.uses)),
        *view.row("Expires", view.clock(grant.expires_at)),
    ]


def _token_rows(token: Delegation, view: RenderContext) -> list[Line]:
    return [
        *view.row("Scopes", SafeText(", ".join(token.scopes))),
        *view.row("Resource", token.resource),
        *view.row("Last used", _age_text(token.last_used_at, view.now)),
        *view.row("Expires", view.clock(token.expires_at)),
    ]


def used_text(at: int | None, now: int) -> SafeText:
    """Return how long ago something was last used."""
    return fmt("not used yet") if at is None else fmt("used {} ago", age(at, now))


def _age_text(at: int | None, now: int) -> SafeText:
    return fmt("never") if at is None else fmt("{} ago", age(at, now))


def _host_name(resource: SafeText) -> SafeText:
    return SafeText(resource.removeprefix("https://"))
