"""What the forms of these pages do: which row of the API each one calls, with which body.

Owns: their table, and what a passkey is asked to sign where a row takes a signature in its body.
Never: a check of its own but where a form came from, before it is shown for signing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from flask import Flask, request
from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site
from server.protocol import errors
from server.protocol.forms import Form
from server.services.people import Person
from server.web.browser import go
from server.web.calls import Document
from server.web.own import bodies, devices
from server.web.own.bodies import Signed
from server.web.own.sheets import check_origin, sheet
from server.web.person_forms import sent_form
from server.web.person_pages import Sheet, add_page


@dataclass(frozen=True, slots=True)
class Deed:
    """One form."""

    path: str
    row: str
    then: str = ""
    """Where the browser goes when it is done; `<id>` is what the form was about."""
    body: Callable[[Form], Document] | None = None
    """ValueError says what is wrong with the form."""
    signs: Callable[[Site, Person, str, Document], Signed] | None = None
    """What the person's passkey has to sign, where it adds power."""
    words: str = ""
    """What it does, for whoever is about to sign it."""
    told: Callable[[Document], Sheet] | None = None
    """Shows what the API answered, where that is told once."""


_OWN: Final = frozenset({"csrf", "statement"})

DEEDS: Final = (
    Deed("/agents/<id>/suspend", "POST /api/agents/<id>/disable", "/agents/<id>?done=suspended"),
    Deed("/grants/<id>/revoke", "DELETE /api/grants/<id>", "/grants?done=grant"),
    Deed("/consents/<id>/revoke", "DELETE /api/consents/<id>", "/consents?done=consent"),
    Deed("/delegations/<id>/revoke", "DELETE /api/delegations/<id>", "/delegations?done=token"),
    Deed(
        "/agents/<id>/mute",
        "POST /api/attention/mutes",
        "/agents/<id>?done=muted",
        body=bodies.mute,
    ),
    Deed(
        "/settings/mutes/<id>/end",
        "DELETE /api/attention/mutes/<id>",
        "/settings?done=unmuted",
    ),
    Deed(
        "/devices/<id>/rename",
        "PATCH /api/devices/<id>",
        "/devices/<id>?done=renamed",
        body=bodies.name,
    ),
    Deed("/devices/<id>/remove", "DELETE /api/devices/<id>", "/devices?done=removed"),
    Deed(
        "/devices/<id>/vouch",
        "POST /api/devices/<id>/vouch",
        "/devices/<id>?done=vouched",
        body=bodies.statement,
        signs=partial(bodies.about_device, "vouch"),
        words="Let this device decide at high risk at once",
    ),
    Deed(
        "/devices/<id>/unlock",
        "POST /api/devices/<id>/unlock",
        "/devices/<id>?done=unlocked",
        body=bodies.statement,
        signs=partial(bodies.about_device, "unlock"),
        words="Let this device try its PIN again",
    ),
    Deed(
        "/devices/code",
        "POST /api/devices/codes",
        body=bodies.statement,
        signs=bodies.about_code,
        words="Make a one-time code for one more device of yours",
        told=devices.code,
    ),
    Deed(
        "/settings/quiet",
        "PUT /api/attention/quiet-hours",
        "/settings?done=quiet",
        body=bodies.quiet_hours,
    ),
    Deed("/settings/quiet/end", "DELETE /api/attention/quiet-hours", "/settings?done=loud"),
    Deed(
        "/settings/deputies",
        "POST /api/deputies",
        "/settings?done=deputy",
        body=bodies.deputy,
        signs=bodies.about_deputy,
        words="Let somebody decide for you",
    ),
    Deed("/settings/deputies/<id>/end", "DELETE /api/deputies/<id>", "/settings?done=alone"),
    Deed(
        "/settings/user-code",
        "POST /api/user-code",
        "/settings?done=code",
        body=bodies.user_code,
        signs=bodies.about_user_code,
        words="Want this code of agents",
    ),
    Deed(
        "/settings/user-code/end",
        "POST /api/user-code",
        "/settings?done=codeless",
        body=bodies.no_user_code,
        signs=bodies.about_user_code,
        words="Want no code of agents any more",
    ),
)


def add_deeds(app: Flask, site: Site) -> None:
    """Give the forms to Flask."""
    for deed in DEEDS:
        add_page(app, site, "POST", deed.path, partial(_done, deed))


def _done(deed: Deed, site: Site, person: Person, **ids: str) -> Sheet | AnyResponse:
    """Do what a form says, or show what has to be signed first. Raises errors.Problem."""
    sent, about = sent_form(site), ids.get("id", "")
    try:
        body = None if deed.body is None else deed.body(sent.form)
    except ValueError as error:
        raise errors.Problem(422, "invalid_body", f"{error}.") from error
    if deed.signs is not None and sent.form.get("statement") is None:
        check_origin(site, sent)
        return _to_sign(deed, sent.form, deed.signs(site, person, about, body or {}))
    told = sent.calls.do(deed.row, about, body, sent.form)
    if deed.told is not None:
        return deed.told(told)
    return go(site.rules.issuer + deed.then.replace("<id>", about))


def _to_sign(deed: Deed, form: Form, wanted: Signed) -> Sheet:
    kept = {name: value[0] for name, value in form.values.items() if name not in _OWN}
    return sheet("sign.html", "", deed=deed, kept=kept, wanted=wanted, action=request.path)
