"""`sayso-approver quiet`: quiet hours, mutes and holds. Needs no PIN: it cannot approve."""

import re

import click

from approver_tui import settings
from approver_tui.cli.documents import document, id_and_name, members, to_json
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, group, local_time, print_result, program
from approver_tui.client.notifications.preferences import NotificationPrefsClient
from approver_tui.state.notifications.preferences import Mute, NotificationPrefs, QuietHours

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_STILL_NOTIFIES = "Requests stay listed, and high- and critical-risk requests still notify you."


def _check_time(_context: click.Context, _option: click.Parameter, text: str) -> str:
    if _TIME_OF_DAY.fullmatch(text) is None:
        raise click.BadParameter(f"{text} is not a time of day; use HH:MM, such as 22:00.")
    return text


@group("quiet")
def quiet() -> None:
    """Show your quiet hours, muted agents, and held notifications."""
    with this_client() as client:
        _show(NotificationPrefsClient(client).settings())


@quiet.command("set")
@click.option(
    "--from", "begins", metavar="HH:MM", required=True, callback=_check_time, help="Start time."
)
@click.option(
    "--to",
    "ends",
    metavar="HH:MM",
    required=True,
    callback=_check_time,
    help="End time; 24:00 is allowed. The start time means 24 hours.",
)
@click.option(
    "--day",
    "days",
    type=click.Choice(_DAYS),
    multiple=True,
    help="A day on which they start. Repeatable. Defaults to every day.",
)
@click.option("--zone", help="The time zone, such as Europe/Berlin. Defaults to this machine's.")
@as_json
def set_hours(*, begins: str, ends: str, days: tuple[str, ...], zone: str | None) -> None:
    """Set quiet hours: no notifications for low and medium risk during them."""
    time_zone = zone or settings.local_zone()
    if time_zone is None:
        raise click.UsageError("This machine's time zone is unknown; use --zone.")
    with this_client() as client:
        _show(NotificationPrefsClient(client).set_quiet_hours(begins, ends, time_zone, days))


@quiet.command("off")
@as_json
def clear() -> None:
    """Clear quiet hours; held notifications are sent now."""
    with this_client() as client:
        prefs_client = NotificationPrefsClient(client)
        prefs_client.clear_quiet_hours()
        _show(prefs_client.settings())


def _show(value: NotificationPrefs) -> None:
    print_result(document("sayso.attention/1", value), [*_lines(value), _STILL_NOTIFIES])


def _lines(value: NotificationPrefs) -> list[str]:
    hours = value.quiet_hours
    lines = ["No quiet hours." if hours is None else f"Quiet hours: {hours.text}."]
    if value.quiet_until is not None:
        lines.append(f"Quiet now, until {local_time(value.quiet_until)}.")
    for mute in value.mutes:
        until = "" if mute.until is None else f" until {local_time(mute.until)}"
        lines.append(f"Muted: {mute.agent_name}{until}.  {program()} unmute {mute.agent_id}")
    lines += [
        f"Held back: {request.approval} until {local_time(request.until)} ({request.why})."
        for request in value.holds
    ]
    return lines


@to_json.register
def _notification_prefs(value: NotificationPrefs) -> dict[str, object]:
    return members(value, "holds", held=to_json(value.holds))


@to_json.register
def _quiet_hours(value: QuietHours) -> dict[str, object]:
    return {**members(value, "begins", "ends"), "from": value.begins, "to": value.ends}


@to_json.register
def _mute(value: Mute) -> dict[str, object]:
    return members(value, "agent_id", "agent_name", agent=id_and_name(value, "agent"))
