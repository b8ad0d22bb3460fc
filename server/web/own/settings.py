"""A person's own settings: when they are called, who decides for them, how the pages look.

Owns: which there are. Never: what they mean; the API's rows say that.
"""

from typing import Final

from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site
from server.protocol import errors
from server.services.people import Person
from server.web import themes
from server.web.browser import go
from server.web.own.sheets import check_origin, listed, sheet
from server.web.person_forms import sent_form
from server.web.person_pages import Sheet

_DAYS: Final = (
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
)


def every(site: Site, _person: Person) -> Sheet:
    """All of them on one page."""
    return sheet(
        "settings.html",
        "settings",
        attention=listed(site, "GET /api/attention"),
        deputies=listed(site, "GET /api/deputies"),
        has_code=listed(site, "GET /api/user-code")["set"],
        days=_DAYS,
        themes=themes.THEMES,
    )


def choose_theme(site: Site, _person: Person) -> AnyResponse:
    """How the pages look in this browser from now on. Raises errors.Problem."""
    sent = sent_form(site)
    check_origin(site, sent)
    theme = sent.form.get("theme") or ""
    if theme not in themes.THEMES:
        raise errors.Problem(422, "invalid_body", "There is no such theme.")
    return themes.with_theme(site, go(f"{site.rules.issuer}/settings?done=theme"), theme)
