"""`sayso approvals limits`: the rate limits, and who is near them."""

from collections.abc import Iterator

import click

from server.cli.opening import OpenInstallation
from server.cli.output import table
from server.cli.printed import Printed, prints
from server.protocol.text import pluralize
from server.services.operations.limits import LimitsOverview, LimitSubject, overview_json


@click.command("limits")
@prints
def limits(admin: OpenInstallation) -> Printed:
    """Show each rate limit, who is near it now, and who reached it in the last day."""
    overview = admin.limits.overview()
    return overview_json(overview), _lines(overview)


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
            side = "at" if near.reached else "near"
            yield f"{_subject_name(near.who, overview)} is {side} {name}: {near.count} of {value}."
        for who, count in limit.refusals:
            times = pluralize(count, "time")
            yield f"{_subject_name(who, overview)} was refused by {name} {times} in the last day."
    for who, count in overview.held_back:
        requests = pluralize(count, "request")
        yield f"{requests} of the last day did not notify {_subject_name(who, overview)}."
    if not overview.complete:
        yield "Only the newest rows were counted."


def _subject_name(subject: LimitSubject, overview: LimitsOverview) -> str:
    subjects = [
        overview.names[key] for key in (subject.agent_id, subject.user_id) if key is not None
    ]
    return " and ".join([*subjects, *([subject.other] if subject.other else [])]) or "everybody"
