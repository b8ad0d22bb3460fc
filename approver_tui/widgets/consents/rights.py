"""Consents, tokens and devices, as entries and in full.

Owns: their wording. Never: ending any of them.
"""

from approver_tui.state.clients.access import ActingAgent
from approver_tui.state.consents.consents import Consent, ConsentState
from approver_tui.state.devices.devices import Browser, Device
from approver_tui.state.standing_grants.standing_grants import StandingGrant
from approver_tui.state.text import SafeText, counted
from approver_tui.state.tokens.delegations import Delegation
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.entry_list import Entry
from approver_tui.widgets.lines import BLANK, Line, Role, fmt, line, wrapped
from approver_tui.widgets.times import age, remaining


def holdings_text(agent: ActingAgent) -> SafeText:
    """Return how many grants, consents and tokens an agent has; grants only if there are any."""
    consents, tokens = (
        counted(len(agent.consents), "consent"),
        counted(len(agent.delegations), "token"),
    )
    rest = fmt("{}, {}", consents, tokens)
    return (
        fmt("{}, {}", counted(len(agent.grants), "standing grant"), rest) if agent.grants else rest
    )


def access_lines(agent: ActingAgent, view: RenderContext) -> list[Line]:
    """Return everything that an agent acts with."""
    lines = [
        *wrapped(agent.name, view.width, Role.STRONG),
        BLANK,
        *view.row("Id", SafeText(agent.id)),
        *view.row("Last used", used_text(agent.last_used_at, view.now)),
        *view.row("Ends", view.clock(agent.until)),
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
    """Return a consent as an entry."""
    is_live = consent.state is ConsentState.LIVE
    state = remaining(consent.expires_at, now) if is_live else SafeText(consent.state.value)
    what = fmt("{} at {}", SafeText(", ".join(consent.scopes)), _host(consent.resource))
    return Entry(consent.id, consent.client_name, what, state, is_over=not is_live)


def consent_lines(consent: Consent, view: RenderContext) -> list[Line]:
    """Return a consent in full."""
    title = fmt("{} can act for you without asking", consent.client_name)
    key = view.keys.key("revoke")
    asked = [] if consent.app_name is None else view.row("Asked by", consent.app_name)
    return [
        *wrapped(title, view.width, Role.STRONG),
        BLANK,
        *_consent_rows(consent, view),
        *asked,
        *view.row("Id", consent.id),
        BLANK,
        *wrapped(fmt("Revoking it ({}) ends every token issued from it.", key), view.width),
    ]


def token_entry(token: Delegation, now: int) -> Entry:
    """Return a token as an entry."""
    what = fmt("{} at {}", SafeText(", ".join(token.scopes)), _host(token.resource))
    return Entry(token.id, token.client.name, what, remaining(token.expires_at, now))


def token_lines(token: Delegation, view: RenderContext) -> list[Line]:
    """Return a token in full."""
    key = view.keys.key("revoke")
    chain = SafeText(" > ".join(actor.name for actor in reversed(token.actors)))
    through = view.row("Through", chain) if token.actors else []
    approval = [] if token.approval_id is None else view.row("Approval", token.approval_id)
    return [
        *wrapped(
            fmt("{} acts for you with this token", token.client.name), view.width, Role.STRONG
        ),
        BLANK,
        *_token_rows(token, view),
        *through,
        *approval,
        *view.row("Issued", view.clock(token.issued_at)),
        *view.row("Id", SafeText(token.id)),
        BLANK,
        *wrapped(fmt("Ending it ({}) also ends every token derived from it.", key), view.width),
    ]


def device_entry(device: Device, now: int) -> Entry:
    """Return a device as an entry."""
    mine = fmt("{} (this one)", device.name) if device.is_this else device.name
    seen = device.last_seen_at
    when = fmt("not seen yet") if seen is None else fmt("seen {} ago", age(seen, now))
    what = fmt("{}, {}", device.kind, when)
    return Entry(device.id, mine, what, _state_text(device, now), is_over=not device.is_active)


def device_lines(device: Device, view: RenderContext) -> list[Line]:
    """Return a device in full."""
    pin = device.pin
    tries = fmt("{} wrong since the last correct one, {} left", pin.tries, pin.left)
    state = fmt("in use") if device.is_active else fmt("revoked")
    later = fmt("from {} on", view.clock(device.high_from))
    high = later if device.high_from > view.now else fmt("can be approved here")
    return [
        *wrapped(device.name, view.width, Role.STRONG),
        BLANK,
        *view.row("State", state),
        *view.row("Kind", device.kind),
        *view.row("Enrolled", view.clock(device.created_at)),
        *view.row("Last seen", _ago(device.last_seen_at, view.now)),
        *view.row("High risk", high),
        *view.row("PIN", tries),
        *_notification_rows(device, view),
        *_problem_lines(device, view),
        *view.row("Id", SafeText(device.id)),
    ]


def _notification_rows(device: Device, view: RenderContext) -> list[Line]:
    """Whether a browser gets push notifications; a terminal alerts while it runs."""
    if device.kind != "browser" or not device.is_active:
        return []
    if not device.browsers:
        nobody = fmt("no notifications: open its page and allow them")
        return view.row("Notified", nobody, Role.ALERT)
    return [line for browser in device.browsers for line in _browser_row(browser, view)]


def _browser_row(browser: Browser, view: RenderContext) -> list[Line]:
    last = browser.delivered_at
    safe_text = fmt("nothing yet") if last is None else fmt("last {} ago", age(last, view.now))
    if browser.lost_at is not None:
        at = view.clock(browser.lost_at)
        return view.row("Notified", fmt("not since {}: open Sayso there", at), Role.ALERT)
    if browser.problem:
        words = fmt("{} rejects messages: {}", _host(browser.service), browser.problem)
        return view.row("Notified", words, Role.ALERT)
    if browser.is_dormant:
        words = fmt("{}; nobody opened it for two weeks", safe_text)
        return view.row("Notified", words, Role.ALERT)
    return view.row("Notified", fmt("{}, through {}", safe_text, _host(browser.service)))


def _problem_lines(device: Device, view: RenderContext) -> list[Line]:
    unlock, vouch = view.keys.key("unlock"), view.keys.key("vouch")
    if device.pin.locked:
        words = fmt("Locked after too many wrong PINs; another device unlocks it ({}).", unlock)
    elif device.pin.exhausted:
        words = fmt("This PIN has had too many wrong attempts: log in again with a new one.")
    elif device.is_active and device.high_from > view.now:
        words = fmt(
            "New: cannot approve high risk yet, unless another device vouches for it ({}).", vouch
        )
    else:
        return []
    return wrapped(words, view.width, Role.ALERT)


def _state_text(device: Device, now: int) -> SafeText:
    if not device.is_active:
        return fmt("revoked")
    if device.pin.locked:
        return fmt("locked")
    return fmt("new") if device.high_from > now else fmt("in use")


def _consent_rows(consent: Consent, view: RenderContext) -> list[Line]:
    until = view.clock(consent.expires_at)
    over = consent.revoked_at
    ended = [] if over is None else view.row("Revoked", view.clock(over))
    return [
        *view.row("May use", SafeText(", ".join(consent.scopes))),
        *view.row("At", consent.resource),
        *view.row("Created", view.clock(consent.created_at)),
        *view.row("Until", until),
        *ended,
    ]


def grant_scope(grant: StandingGrant) -> SafeText:
    """Return what a standing grant allows: an action type, scopes."""
    named = () if grant.type is None else (grant.type,)
    return SafeText(", ".join((*named, *grant.scopes)))


def _grant_rows(grant: StandingGrant, view: RenderContext) -> list[Line]:
    return [
        *view.row("May use", grant_scope(grant)),
        *view.row("At", grant.resource),
        *view.row("Used", fmt("{} of {}", grant.used, grant.uses)),
        *view.row("Until", view.clock(grant.expires_at)),
    ]


def _token_rows(token: Delegation, view: RenderContext) -> list[Line]:
    return [
        *view.row("May use", SafeText(", ".join(token.scopes))),
        *view.row("At", token.resource),
        *view.row("Last used", _ago(token.last_used_at, view.now)),
        *view.row("Ends", view.clock(token.expires_at)),
    ]


def used_text(at: int | None, now: int) -> SafeText:
    """Return how long ago something was used."""
    return fmt("not used yet") if at is None else fmt("used {} ago", age(at, now))


def _ago(at: int | None, now: int) -> SafeText:
    return fmt("never") if at is None else fmt("{} ago", age(at, now))


def _host(resource: SafeText) -> SafeText:
    return SafeText(resource.removeprefix("https://"))
