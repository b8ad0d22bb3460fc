"""The pages and forms for the installation and for a person's own settings."""

from collections.abc import Mapping
from typing import Any, Final

from werkzeug.wrappers import Response as AnyResponse

from server.protocol import errors
from server.protocol.forms import Form
from server.web import charts, themes
from server.web.browser import go, set_cookie
from server.web.form import FormAction, acts
from server.web.page import Facts, Page, Read
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
        raise errors.invalid_body("This theme does not exist.")
    response = go(f"{visit.site.server_policy.issuer}/settings?done=theme")
    return set_cookie(visit.site, response, themes.COOKIE, theme, max_age=themes.YEAR)


_TEN: Final = ("limit", "10")

PAGES: Final = (
    Page(
        "/settings",
        "operations/settings.html",
        "settings",
        (
            Read("attention", "GET /api/attention"),
            Read("deputies", "GET /api/deputies"),
            Read("user_code", "GET /api/user-code"),
        ),
        draw=choices,
    ),
    Page(
        "/admin",
        "operations/console_overview.html",
        "overview",
        (
            Read("numbers", "GET /api/admin/statistics", ("days",)),
            Read(
                "waiting", "GET /api/admin/approvals", fixed_parameters=(("state", "pending"), _TEN)
            ),
            Read("incidents", "GET /api/incidents", fixed_parameters=(_TEN,)),
            Read("findings", "GET /api/admin/findings"),
        ),
        draw=charts.of_overview,
    ),
    Page(
        "/admin/health",
        "operations/console_health.html",
        "health",
        (
            Read("findings", "GET /api/admin/findings"),
            Read("outgoing", "GET /api/admin/outbox"),
        ),
    ),
    Page(
        "/admin/limits",
        "operations/console_limits.html",
        "limits",
        (Read("limits", "GET /api/admin/limits"),),
        draw=charts.of_limits,
    ),
    Page(
        "/admin/settings",
        "operations/console_settings.html",
        "settings",
        (
            Read("settings", "GET /api/admin/settings"),
            Read("signing", "GET /api/keys"),
        ),
    ),
)

FORMS: Final = (
    FormAction("/settings/theme", handler=choose_theme),
    acts("POST /api/admin/outbox/<id>/retry", "Retry this message", then="/admin/health"),
)
