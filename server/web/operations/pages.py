"""The pages and forms for the installation and for a person's own settings."""

from typing import Final

from server.web import charts
from server.web.form import FormAction, acts
from server.web.operations import settings
from server.web.page import Page, Read

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
        draw=settings.choices,
    ),
    Page(
        "/admin",
        "operations/console_overview.html",
        "overview",
        (
            Read("numbers", "GET /api/admin/statistics", ("days",)),
            Read("waiting", "GET /api/admin/approvals", fixed=(("state", "pending"), _TEN)),
            Read("incidents", "GET /api/incidents", fixed=(_TEN,)),
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
    FormAction("/settings/theme", does=settings.choose_theme),
    acts("POST /api/admin/outbox/<id>/retry", "Retry this message", then="/admin/health"),
)
