"""The pages of a person who is signed in with a passkey: what waits, and one request.

Owns: what stands on them, from the same facts as the terminal's screens. Never: an answer; the
scripts send those to the API, signed.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from flask import Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from server import telemetry
from server.http import cookies
from server.http.narrowing_wire import granted
from server.http.site import Site
from server.protocol import ceremonies, decisions, errors
from server.protocol.risks import Risk
from server.protocol.states import State
from server.services import retries
from server.services.approval_views import Shown
from server.services.ceremonies import LOCKED_TEXT
from server.services.displays import rfc3339, signals
from server.services.narrowings import headline, in_words
from server.services.people import Person
from server.services.ports import Busy
from server.web.browser import message, moment, page, under_another_name
from server.web.menu import PLACES

_MOST: Final = 50
_ROOM: Final = 500
_SIGNED_OUT: Final = 401
_ARMING_MS: Final = {Risk.HIGH: 2_000, Risk.CRITICAL: 3_000}
_SHORT_ARMING_MS: Final = 800
"""So that a click or a key that was meant for something else approves nothing."""


Sheet: TypeAlias = tuple[str, dict[str, Any]]
"""A template, and what stands in it."""
View: TypeAlias = Callable[..., Sheet | AnyResponse]
"""What a page shows to the person at this site; or where it leads."""


def add_person_pages(app: Flask, site: Site) -> None:
    """Give the pages to Flask."""
    for path, view in (("/", _inbox), ("/r/<id>", _request)):
        add_page(app, site, "GET", path, view)


def add_page(app: Flask, site: Site, method: str, path: str, view: View) -> None:
    """Give Flask one page of whoever is signed in; a POST is a form of such a page."""
    app.add_url_rule(
        path,
        endpoint=f"{method} {path}",
        view_func=_shown(site, view, path),
        methods=[method],
        provide_automatic_options=False,
        strict_slashes=path != "/",  # for no path at all: a redirect is built from Host
    )


def _shown(site: Site, view: View, path: str) -> Callable[..., AnyResponse]:
    """Nothing that a browser sends makes a page fail without a word."""

    def run(**parts: str) -> AnyResponse:
        try:
            return under_another_name(site) or _answered(site, view, **parts)
        except HTTPException:  # a body too long: said by the one who knows
            raise
        except Busy:
            return message("One moment", "The server is busy. Try again.", status=503)
        except Exception:  # noqa: BLE001  # the last door: a fault of ours is logged and said
            telemetry.log().exception("page.failed", path=path)
            return message("A fault of the server", "It was written down. Try again.", status=500)

    return run


def _answered(site: Site, view: View, **parts: str) -> AnyResponse:
    """The page for whoever is signed in; others are asked to sign in where they are."""
    cookie = cookies.known(request.cookies.get(cookies.name(site.rules), ""))
    try:
        person = site.browsers.person(cookie)
    except errors.Problem as problem:
        return sign_in(problem, asked=bool(parts))
    try:
        shown = view(site, person, **parts)
    except errors.Problem as problem:
        return message("This does not work", problem.detail, status=problem.status)
    except errors.ProtocolError as error:
        return message("This does not work", error.description, status=error.status)
    return _page(site, person, cookie, shown) if isinstance(shown, tuple) else shown


def sign_in(problem: errors.Problem, *, asked: bool) -> AnyResponse:
    """The page for whoever is signed out; somebody who was stopped reads why."""
    why = "" if problem.status == _SIGNED_OUT else problem.detail
    return page("passkey_sign_in.html", script=True, asked=asked, problem=why)


def _inbox(site: Site, person: Person) -> Sheet:
    """GET /, and with `all=true` what a page has room for."""
    most = _ROOM if request.args.get("all") == "true" else _MOST
    found = site.approvals.waiting(person, most, None)
    cards = [_card(item) for item in found.items]
    facts = {
        "at": "inbox",
        "waiting": [one for one in cards if not one["held"]],
        "held": [one for one in cards if one["held"]],
        "count": len(cards) if found.next is None else site.approvals.waiting_count(person),
        "room": _ROOM,
        "lost": site.push_losses.of(person),
    }
    return "inbox.html", facts


def _card(item: Shown) -> dict[str, object]:
    approval = item.approval
    display = json.loads(approval.display)
    return {
        "id": approval.id,
        "risk": str(approval.risk),
        "headline": headline(approval),
        "agent": display["agent"]["name"],
        "agent_id": approval.agent_id,
        "until": approval.expires_at,
        "expires_at": rfc3339(approval.expires_at),
        "held": approval.held_back,
    }


def _request(site: Site, person: Person, **parts: str) -> Sheet:
    shown = site.approvals.show(person, parts["id"])
    approval = shown.approval
    note = None if shown.decision is None else shown.decision.note
    facts = {
        **of_one(site, shown, person),
        "open": is_open(shown, person),
        "outcome": outcome(shown),
        "note": note,
        "granted": granted(approval),
        "retry": retries.standing(approval),
        "tally": shown.tally,
        "ahead": can_be_ahead(shown, person),
        "codes": decisions.DENY_CODES,
    }
    return "request.html", facts


def of_one(site: Site, shown: Shown, person: Person) -> dict[str, Any]:
    """What every page about one request has: its texts, and what a yes to it takes here."""
    approval = shown.approval
    return {
        "approval": approval,
        "display": _display(shown),
        "headline": headline(approval),
        "fingerprint": decisions.fingerprint(approval.action_digest),
        "steps": sorted(ceremonies.read(approval.ceremony)),
        "cannot": _cannot(site, shown, person),
        "arming": _ARMING_MS.get(approval.risk, _SHORT_ARMING_MS),
        "ends": rfc3339(approval.expires_at),
        "longer": site.extensions.offered(person, approval.id),
    }


def _display(shown: Shown) -> dict[str, Any]:
    """What was shown when it was asked; what is unusual by what was approved until now."""
    document: dict[str, Any] = json.loads(shown.approval.display)
    if shown.unusual is not None:
        document["unusual"] = signals(shown.unusual)
        document["compared"] = shown.unusual.compared
    return document


def headline_of(approval: Mapping[str, Any]) -> str:
    """The same of an approval as the API tells it."""
    granted = approval["granted"]
    asked = json.loads(approval["display"])["headline"]
    return in_words(asked, None if granted is None else granted["headline"], approval["state"])


def can_be_ahead(shown: Shown, person: Person) -> bool:
    """Reports whether a request is an example of what its person may approve ahead at all."""
    approval = shown.approval
    own = (approval.kind, approval.user_id) == ("action", person.user.id)
    return own and approval.risk is not Risk.CRITICAL


def is_open(shown: Shown, person: Person) -> bool:
    """Reports whether this person may still answer: it waits, and they have not voted."""
    votes = () if shown.tally is None else shown.tally.votes
    voted = any(one.decision.user_id == person.user.id for one in votes)
    return shown.approval.state is State.PENDING and not voted


def _cannot(site: Site, shown: Shown, person: Person) -> str:
    """Why this person may not say yes to this here, or not yet; "" when they may."""
    if 0 in (shown.tries_left or {}).values():
        return LOCKED_TEXT
    high = shown.approval.risk.rank >= Risk.HIGH.rank
    if not high or site.clock.now() >= person.at.high_from:
        return ""
    since = moment(person.at.high_from)
    return f"This passkey is new: high risk from {since}, unless an older device vouches for it."


def outcome(shown: Shown) -> str:
    """One sentence on how it ended; "" while it waits."""
    approval, answer = shown.approval, shown.decision
    if answer is not None and answer.decision == "deny":
        label = decisions.DENY_CODES[answer.code or ""].label
        return f"Denied by {_who(shown)} at {moment(answer.at)}. Reason: {label}."
    if answer is not None and approval.state is not State.PENDING:
        used = " What it gives was collected." if approval.state is State.REDEEMED else ""
        return f"Approved by {_who(shown)} at {moment(answer.at)}.{used}"
    if approval.decided_by is not None:
        return "Approved without asking you, by what you allowed before."
    if approval.state is State.PENDING:
        return ""
    if approval.state is State.EXPIRED:
        asked = approval.retry_asked_at is not None
        again = "its agent was told to ask again" if asked else "it can be asked again"
        return f"Expired at {moment(approval.expires_at)}. Not a denial; {again}."
    return f"This request is over: {approval.reason or approval.state}. Nobody answered it."


def _who(shown: Shown) -> str:
    return f"{shown.decider_name} on {shown.device_name}"


def _page(site: Site, person: Person, cookie: str, sheet: Sheet) -> AnyResponse:
    template, facts = sheet
    return page(
        template,
        script=True,
        csrf=site.browsers.csrf(cookie),
        now=site.clock.now(),
        person=person,
        menu=PLACES,
        issuer=site.rules.issuer,
        rp_id=site.rules.rp_id,
        form_action="'self'",
        **facts,
    )
