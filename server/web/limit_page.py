"""Approving less: the controls, then what was asked beside what would be granted, then the passkey.

Owns: what the controls of `/r/<id>/limit` say, as a wish of the API. Never: what is less; the API
makes the text that is signed, and judges it again when it comes back signed.
"""

from collections.abc import Mapping
from typing import Any, Final

from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site
from server.protocol import errors
from server.protocol.forms import Form
from server.services.people import Person
from server.web.browser import go
from server.web.calls import Document
from server.web.person_forms import Sent, calls_of, sent_form
from server.web.person_pages import Sheet, is_open, of_one

_ROOM: Final = "GET /api/approvals/<id>/narrowing"
_PROPOSE: Final = "POST /api/approvals/<id>/narrowing"
_NOTHING: Final = Form({})
_REFUSED: Final = 422


def show(site: Site, person: Person, **parts: str) -> Sheet | AnyResponse:
    """GET /r/<id>/limit: every control there is, at what was asked."""
    return _sheet(site, person, parts["id"], _NOTHING, {"less": None, "problem": ""})


def compare(site: Site, person: Person, **parts: str) -> Sheet | AnyResponse:
    """POST /r/<id>/limit: what would be granted; nothing is decided."""
    sent = sent_form(site)
    try:
        room = sent.calls.read(_ROOM, parts["id"])
        less = _proposed(sent, parts["id"], room)
    except (errors.Problem, ValueError) as refused:
        if isinstance(refused, errors.Problem) and refused.status != _REFUSED:
            raise
        told = refused.detail if isinstance(refused, errors.Problem) else f"{refused}."
        facts = {"less": None, "problem": told, "status": _REFUSED}
        return _sheet(site, person, parts["id"], sent.form, facts)
    return _sheet(site, person, parts["id"], sent.form, {"less": less, "problem": ""})


def _proposed(sent: Sent, approval_id: str, room: Document) -> Document:
    return sent.calls.do(_PROPOSE, approval_id, wish(sent.form, room), sent.form)


def _sheet(
    site: Site, person: Person, approval_id: str, form: Form, facts: Mapping[str, Any]
) -> Sheet | AnyResponse:
    """The page; what is over, or answered by this person, is a record elsewhere."""
    shown = site.approvals.show(person, approval_id)
    if not is_open(shown, person):
        return go(f"{site.rules.issuer}/r/{approval_id}")
    room = calls_of(site).read(_ROOM, approval_id)
    about = {**of_one(site, shown, person), "room": room, "sent": form}
    return "limit.html", {**about, **facts}


def wish(form: Form, room: Document) -> Document:
    """What the controls say. ValueError when the life of the token is no number."""
    seconds = form.get("seconds")
    if seconds is not None and not (seconds.isascii() and seconds.isdigit()):
        raise ValueError("Say how long the token lives in whole seconds")
    scopes = enumerate(room["scopes"])
    facts = enumerate(room["facts"])
    changes = [(fact, to) for at, fact in facts if (to := _to(form, at, fact)) is not None]
    return {
        "drop_scopes": [name for at, name in scopes if form.get(f"scope.{at}") is None],
        "changes": [
            {"place": fact["place"], "fact": fact["fact"], "to": to} for fact, to in changes
        ],
        "token_seconds": None if seconds is None else int(seconds),
    }


def _to(form: Form, at: int, fact: Document) -> str | None:
    """The smaller value of one fact, as the API reads it; None where it stays."""
    if fact["rule"] == "turn_on":
        return "yes" if form.get(f"fact.{at}") else None
    if fact["rule"] != "drop":
        return form.get(f"fact.{at}")
    count = len(fact["items"])
    kept = [str(item + 1) for item in range(count) if form.get(f"fact.{at}.{item}")]
    return None if len(kept) == count else ",".join(kept) or "none"
