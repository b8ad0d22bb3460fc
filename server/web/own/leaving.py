"""Signing out, as a form: it works without scripts.

Owns: what the form does. Never: what a script may tidy up first, which is in `leave.js`.
"""

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from server.http import cookies
from server.http.site import Site
from server.services.people import Person
from server.web.browser import go
from server.web.own.sheets import check_origin
from server.web.person_forms import sent_form


def leave(site: Site, _person: Person) -> AnyResponse:
    """Sign this browser out; its passkey stays. Raises errors.Problem."""
    sent = sent_form(site)
    check_origin(site, sent)
    site.browsers.leave(cookies.known(request.cookies.get(cookies.name(site.rules), "")))
    gone = go(f"{site.rules.issuer}/")
    gone.headers.extend(cookies.setting(site.rules, ""))
    return gone
