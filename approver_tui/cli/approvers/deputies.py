"""`sayso-approver deputies`: users who decide for this user while they are away."""

from datetime import UTC, datetime, timedelta

import click

from approver_tui import settings
from approver_tui.cli import references
from approver_tui.cli.inputs import pin_stdin, read_pin, this_client
from approver_tui.cli.printing import as_json, group, local_time, print_result, program, rfc3339
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.approvers import deputies as deputies_client
from approver_tui.state.approvers.deputies import Deputy


@group("deputies")
def deputies() -> None:
    """List, add and revoke deputies: users who can decide for you."""
    click.get_current_context().invoke(list_deputies)


@deputies.command("list")
@as_json
def list_deputies() -> None:
    """List your deputies, and the users you are a deputy for."""
    with this_client() as client:
        all_deputies = deputies_client.list_deputies(client)
    mine, others = map(_document, all_deputies.mine), map(_document, all_deputies.others)
    lines = [
        f"{_line(deputy)}  {deputy.id}" for deputy in (*all_deputies.mine, *all_deputies.others)
    ]
    print_result(
        {"schema": "sayso.deputies/1", "mine": list(mine), "others": list(others)},
        lines or ["You have no deputies, and you are nobody's deputy."],
    )


@deputies.command("add")
@click.argument("name")
@click.option("--from", "begins", metavar="DATE", help="Start. Defaults to now.")
@click.option(
    "--to", "ends", metavar="DATE", required=True, help="End. A date includes the whole day."
)
@pin_stdin
@as_json
def add(*, name: str, begins: str | None, ends: str, pin_stdin: bool) -> None:
    """Add a deputy, who decides for you where the action type allows it. Requires your PIN.

    DATE is a date in this machine's time zone, such as 2026-12-24, or a time with its zone, such as
    2026-12-24T08:00:00Z.
    """
    start = rfc3339(settings.wall_clock()) if begins is None else _parse_time(begins)
    end = _parse_time(ends, is_end=True)
    pin = read_pin(from_stdin=pin_stdin)
    with this_client() as client:
        deputy = DecisionClient(client).name_deputy(name, start or "", end, pin)
    print_result(
        {"schema": "sayso.deputy/1", **_document(deputy)},
        [_line(deputy), f"{program()} deputies revoke {deputy.id}"],
    )


@deputies.command("revoke")
@click.argument("deputy_id", metavar="ID")
@as_json
def revoke(*, deputy_id: str) -> None:
    """Revoke a deputy, or stop being one. Requires no PIN. Past decisions stay valid."""
    with this_client() as client:
        deputy_id = references.deputy_id(client, deputy_id)
        deputies_client.end_deputy(client, deputy_id)
    print_result(
        {"schema": "sayso.deputy-ended/1", "id": deputy_id}, [f"Revoked deputy {deputy_id}."]
    )


def _parse_time(text: str, *, is_end: bool = False) -> str:
    """Return the time as RFC 3339; a date starts or ends at local midnight."""
    is_last_day = is_end and not set(text) & set("T :")
    try:
        moment = datetime.fromisoformat(text) + timedelta(days=1 if is_last_day else 0)
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.UsageError(f"{text} is not a date. Use the form 2026-12-24.") from None
    return rfc3339(round(utc.timestamp() * 1000)) or ""


def _line(deputy: Deputy) -> str:
    begins, ends = local_time(deputy.begins), local_time(deputy.ends)
    return f"{deputy.deputy_name} decides for {deputy.user_name} from {begins} to {ends}."


def _document(deputy: Deputy) -> dict[str, object]:
    return {
        "id": deputy.id,
        "user": deputy.user_name,
        "deputy": deputy.deputy_name,
        "from": rfc3339(deputy.begins),
        "to": rfc3339(deputy.ends),
    }
