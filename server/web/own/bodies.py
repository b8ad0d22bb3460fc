"""From the fields of a form to the body of a request, and to what a passkey signs about it.

Owns: days, check boxes, words of buttons. Never: a rule; the API has those.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from server.http.site import Site
from server.protocol import decisions
from server.protocol.forms import Form
from server.services import deputies, devices, user_codes
from server.services.people import Person
from server.services.policy.rules import DAYS
from server.web.calls import Document
from server.web.own.devices import find


@dataclass(frozen=True, slots=True)
class Signed:
    """What a statement must say, besides who says it and when."""

    purpose: str
    subject: str
    nonce: str


def mute(form: Form) -> Document:
    """An agent that is heard no more, for so long or until it is heard again."""
    minutes = form.get("minutes")
    named = {"agent": form.get("agent") or ""}
    return named if minutes is None else {**named, "minutes": _number("for how long", minutes)}


def quiet_hours(form: Form) -> Document:
    """Hours of the ticked days."""
    return {
        "days": [day for day in DAYS if form.get(day)],
        "from": form.get("from") or "",
        "to": form.get("to") or "",
        "zone": form.get("zone") or "",
    }


def deputy(form: Form) -> Document:
    """From the beginning of one day to the end of another, of UTC."""
    last = _day("to", form.get("to")) + timedelta(days=1)
    return {
        "deputy": form.get("deputy") or "",
        "from": _moment(_day("from", form.get("from"))),
        "to": _moment(last),
        "statement": form.get("statement") or "",
    }


def about_deputy(site: Site, person: Person, _about: str, body: Document) -> Signed:
    """It lets somebody decide."""
    nonce = _nonce(site, person)
    wanted = deputies.Wanted(body["deputy"], body["from"], body["to"])
    return Signed(decisions.DEPUTY, deputies.signed_subject(nonce, wanted), nonce)


def user_code(form: Form) -> Document:
    """What agents have to know."""
    return {"code": form.get("code") or "", "statement": form.get("statement") or ""}


def no_user_code(form: Form) -> Document:
    """Nothing any more."""
    return {"code": None, "statement": form.get("statement") or ""}


def about_user_code(site: Site, person: Person, _about: str, body: Document) -> Signed:
    """It decides which agents may ask."""
    nonce = _nonce(site, person)
    subject = user_codes.signed_subject(nonce, body["code"] or "")
    return Signed(decisions.USER_CODE, subject, nonce)


def statement(form: Form) -> Document:
    """Nothing but the signed word."""
    return {"statement": form.get("statement") or ""}


def name(form: Form) -> Document:
    """What it is called from now on."""
    return {"name": form.get("name") or ""}


def about_code(site: Site, person: Person, _about: str, _body: Document) -> Signed:
    """It lets one more device in."""
    nonce = _nonce(site, person)
    return Signed(decisions.ENROL, devices.signed_subject(nonce), nonce)


def about_device(purpose: str, site: Site, person: Person, about: str, _body: Document) -> Signed:
    """It gives another device of the person's more power. Raises errors.Problem 404."""
    device = find(site, person, about)
    return Signed(purpose, device.id, site.devices.statement_nonce(device, person.at))


def _nonce(site: Site, person: Person) -> str:
    return site.devices.statement_nonce(person.at, person.at)


def _day(name: str, text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        raise ValueError(f"{name} must be a day, such as 2026-12-24") from None


def _moment(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueError(f"{name} must be a whole number")
    return int(text)
