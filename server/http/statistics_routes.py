"""The rows that an administrator looks at first: how it goes, what is weak, how it is set."""

from typing import Final

from server.http import limits_wire, outgoing_wire
from server.http import statistics_wire as wire
from server.http.endpoints import outgoing, statistics
from server.http.route import Caller, Route
from server.services.authority import Role, Rule

_STAFF = (Role.ADMIN, Role.AUDITOR)
_READS = (401, 403, 404, 422)

STATISTICS_ROUTES: Final = (
    Route(
        "GET",
        "/api/admin/statistics",
        statistics.summary,
        Caller.PERSON,
        "How asking and answering went in the last days.",
        query=("days",),
        answer=wire.StatisticsAnswer,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "GET",
        "/api/admin/findings",
        statistics.findings,
        Caller.PERSON,
        "What is weak or broken in the records, and the fix.",
        answer=wire.Findings,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "GET",
        "/api/admin/outbox",
        outgoing.state,
        Caller.PERSON,
        "What leaves the installation, what was given up, push services and loops.",
        answer=outgoing_wire.OutgoingState,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "POST",
        "/api/admin/outbox/<id>/retry",
        outgoing.retry,
        Caller.PERSON,
        "Let a message that was given up leave after all.",
        answer=outgoing_wire.GivenUpMessage,
        errors=(401, 403, 404, 409, 422),
        rule=Rule((Role.ADMIN,)),
    ),
    Route(
        "GET",
        "/api/admin/limits",
        statistics.limits,
        Caller.PERSON,
        "Each limit, who is near it now, and who reached it in the last day.",
        answer=limits_wire.LimitsAnswer,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "GET",
        "/api/admin/settings",
        statistics.settings,
        Caller.PERSON,
        "Each setting and where it came from.",
        answer=wire.Settings,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
)
