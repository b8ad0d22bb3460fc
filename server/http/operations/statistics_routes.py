"""The routes for statistics, findings, the outbox, limits and settings."""

from typing import Final

from server.http.notifications import outbox
from server.http.operations import statistics
from server.http.route import managed

STATISTICS_ROUTES: Final = (
    managed(
        "GET /api/admin/statistics",
        statistics.summary,
        "Get statistics of requests and answers.",
        query=("days",),
    ),
    managed(
        "GET /api/admin/findings", statistics.findings, "List what is weak or broken, with the fix."
    ),
    managed(
        "GET /api/admin/outbox",
        outbox.state,
        "Get the state of the outbox, push services and loops.",
    ),
    managed("POST /api/admin/outbox/<id>/retry", outbox.retry, "Retry an undelivered message."),
    managed(
        "GET /api/admin/limits",
        statistics.limits,
        "List each limit, who is near it, and who reached it in the last day.",
    ),
    managed("GET /api/admin/settings", statistics.settings, "List each setting and its source."),
)
