"""`sayso approvals limits`: the rate limits, and who is near them."""

from collections.abc import Iterator

import click

from server.cli.opening import OpenInstallation
from server.cli.output import table
from server.cli.printed import Printed, prints
from server.protocol.text import counted
from server.services.operations import limits_json
from server.services.operations.limits import LimitsOverview, LimitSubject


@click.command("limits")
@prints
def limits(admin: OpenInstallation) -> Printed:
    """Show each rate limit, who is near it now, and who reached it in the last day."""
    found = admin.limits.overview()
    return limits_json.overview(found), _lines(found)


def _lines(found: LimitsOverview) -> list[str]:
    rows = [
        (
            limit.limit.name,
            str(limit.value),
            limit.limit.counted_per,
            limit.limit.setting or "fixed",
        )
        for limit in found.limits
    ]
    return [*table(("limit", "value", "per", "set by"), rows), "", *_remarks(found)]


def _remarks(found: LimitsOverview) -> Iterator[str]:
    for limit in found.limits:
        name, most = limit.limit.name, limit.value
        for near in limit.near:
            where = "at" if near.reached else "near"
            yield f"{_called(near.who, found)} is {where} {name}: {near.count} of {most}."
        for who, count in limit.refusals:
            times = counted(count, "time")
            yield f"{_called(who, found)} was refused by {name} {times} in the last day."
    for who, count in found.held_back:
        yield f"{counted(count, 'request')} of the last day did not notify {_called(who, found)}."
    if not found.complete:
        yield "Only the newest rows were counted."


def _called(who: LimitSubject, found: LimitsOverview) -> str:
    ids = [found.names[key] for key in (who.agent_id, who.user_id) if key is not None]
    return " and ".join([*ids, *([who.other] if who.other else [])]) or "everybody"
