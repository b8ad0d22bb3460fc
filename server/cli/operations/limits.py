"""`sayso approvals limits`: the rate limits, and who is close to them."""

from collections.abc import Iterator

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import table
from server.lazy_imports import lazily
from server.protocol.text import pluralize
from server.services.operations.limits import LimitsOverview, LimitSubject
from server.settings import describe

with lazily():
    from server.http.operations import statistics as api


@click.command("limits")
@prints
def limits(admin: OpenInstallation) -> Printed:
    """Show each rate limit, who is close to it now, and who reached it in the last day."""
    overview = admin.limits.overview()
    settings = admin.services.settings
    return lambda: api.overview(overview, describe(settings)), _lines(overview)


def _lines(overview: LimitsOverview) -> list[str]:
    rows = [
        (
            limit.limit.name,
            str(limit.value),
            limit.limit.counted_per,
            limit.limit.setting or "fixed",
        )
        for limit in overview.limits
    ]
    return [*table(("limit", "value", "per", "set by"), rows), "", *_remarks(overview)]


def _remarks(overview: LimitsOverview) -> Iterator[str]:
    for limit in overview.limits:
        name, value = limit.limit.name, limit.value
        for near in limit.near:
            status = "has reached" if near.reached else "is close to"
            subject = _subject_name(near.who, overview)
            yield f"{subject} {status} {name}: {near.count} of {value}."
        for who, count in limit.refusals:
            times = pluralize(count, "time")
            yield f"{_subject_name(who, overview)} hit {name} {times} in the last day."
    for who, count in overview.held_back:
        user, requests = _subject_name(who, overview), pluralize(count, "request")
        yield f"{user} was not notified about {requests} in the last day."
    if not overview.complete:
        yield "Only the newest rows were counted."


def _subject_name(subject: LimitSubject, overview: LimitsOverview) -> str:
    subjects = [
        overview.names[key] for key in (subject.agent_id, subject.user_id) if key is not None
    ]
    return " and ".join([*subjects, *([subject.other] if subject.other else [])]) or "everybody"
