"""The rows that an administrator looks at first: how it goes, what is weak, how it is set."""

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
        "How asking and answering went in the last days.",
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
        "What is weak or broken in the records, and the fix.",
        answer=wire.Findings,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "GET",
        "/api/admin/outbox",
        outbox.state,
        Caller.PERSON,
        "What leaves the installation, what was given up, push services and loops.",
        answer=outbox_wire.OutgoingState,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "POST",
        "/api/admin/outbox/<id>/retry",
        outbox.retry,
        Caller.PERSON,
        "Let a message that was given up leave after all.",
        answer=outbox_wire.GivenUpMessage,
        errors=(401, 403, 404, 409, 422),
        rule=AccessRule((Role.ADMIN,)),
    ),
    Route(
        "GET",
        "/api/admin/limits",
        statistics.limits,
        Caller.PERSON,
        "Each limit, who is near it now, and who reached it in the last day.",
        answer=limits_wire.LimitsAnswer,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "GET",
        "/api/admin/settings",
        statistics.settings,
        Caller.PERSON,
        "Each setting and where it came from.",
        answer=wire.Settings,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
)
