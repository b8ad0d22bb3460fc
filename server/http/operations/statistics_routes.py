"""The routes for statistics, findings, the outbox, limits and settings."""

from typing import Final

from server.http.notifications import outbox, outbox_wire
from server.http.operations import limits_wire, statistics
from server.http.operations import statistics_wire as wire
from server.http.route import READS, STAFF, Caller, Route
from server.services.operations.authority import AccessRule, Role

STATISTICS_ROUTES: Final = (
    Route(
        "GET",
        "/api/admin/statistics",
        statistics.summary,
        Caller.PERSON,
        "Get statistics of requests and answers.",
        query=("days",),
        answer=wire.StatisticsAnswer,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "GET",
        "/api/admin/findings",
        statistics.findings,
        Caller.PERSON,
        "List what is weak or broken, with the fix.",
        answer=wire.Findings,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "GET",
        "/api/admin/outbox",
        outbox.state,
        Caller.PERSON,
        "Get the state of the outbox, push services and loops.",
        answer=outbox_wire.OutgoingState,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "POST",
        "/api/admin/outbox/<id>/retry",
        outbox.retry,
        Caller.PERSON,
        "Retry an undelivered message.",
        answer=outbox_wire.GivenUpMessage,
        errors=(401, 403, 404, 409, 422),
        rule=AccessRule((Role.ADMIN,)),
    ),
    Route(
        "GET",
        "/api/admin/limits",
        statistics.limits,
        Caller.PERSON,
        "List each limit, who is near it, and who reached it in the last day.",
        answer=limits_wire.LimitsAnswer,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "GET",
        "/api/admin/settings",
        statistics.settings,
        Caller.PERSON,
        "List each setting and its source.",
        answer=wire.Settings,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
)
