"""A person's own settings: the options on the page, and the theme of the browser.

Owns: what the page needs in addition to the API. Never: business rules.
"""

from collections.abc import Mapping
from typing import Any, Final

from werkzeug.wrappers import Response as AnyResponse

from server.protocol import errors
from server.protocol.forms import Form
from server.web import themes
from server.web.browser import go
from server.web.page import Facts
from server.web.visit import Visit

_DAYS: Final = (
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
)


def choices(_read: Mapping[str, Any]) -> Facts:
    """The days and themes that can be selected."""
    return {"days": _DAYS, "themes": themes.THEMES}


def choose_theme(visit: Visit, form: Form) -> AnyResponse:
    """Set the theme of this browser. Raises errors.Problem."""
    theme = form.get("theme") or ""
    if theme not in themes.THEMES:
        raise errors.Problem(422, "invalid_body", "This theme does not exist.")
    server_policy = visit.site.server_policy
    return themes.with_theme(visit.site, go(f"{server_policy.issuer}/settings?done=theme"), theme)
