"""`sayso-approver deputies`: who decides for this person while they are away."""

from datetime import datetime, timedelta

import click

from approver_tui import settings
from approver_tui.cli.opening import pin_stdin, read_pin, this_client
from approver_tui.cli.printing import as_json, local_time, print_document, print_lines, rfc3339
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.approvers import deputies
from approver_tui.state.approvers.deputies import Deputy


@click.group("deputies", invoke_without_command=True)
@as_json
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """List who decides for you, and for whom you do; add or revoke one."""
    if context.invoked_subcommand is None:
        _list(as_json=as_json)


@command.command("list")
@as_json
def list_deputies(*, as_json: bool) -> None:
    """List who decides for you, and for whom you do."""
    _list(as_json=as_json)


@command.command("add")
@click.argument("name")
@click.option("--from", "begins", metavar="DATE", help="From when on; now, if left out.")
@click.option("--to", "ends", metavar="DATE", required=True, help="Until when; a day counts whole.")
@pin_stdin
@as_json
def add(*, name: str, begins: str | None, ends: str, pin_stdin: bool, as_json: bool) -> None:
    """Let somebody decide for you, what its action type lets a deputy. Takes your PIN.

    DATE is a day of this machine's calendar, such as 2026-12-24, or a time with its zone, such as
    2026-12-24T08:00:00Z.
    """
    start = rfc3339(settings.wall_clock()) if begins is None else _moment(begins)
    end = _moment(ends, whole=True)
    pin = read_pin(from_stdin=pin_stdin)
    with this_client() as client:
        deputy = DecisionClient(client).name_deputy(name, start or "", end, pin)
    if as_json:
        print_document({"schema": "sayso.deputy/1", **_document(deputy)})
    else:
        print_lines([_line(deputy), f"sayso-approver deputies revoke {deputy.id}"])


@command.command("revoke")
@click.argument("deputy_id", metavar="ID")
@as_json
def revoke(*, deputy_id: str, as_json: bool) -> None:
    """End a deputy of yours, or being one. It takes no PIN, and what was decided stays."""
    with this_client() as client:
        deputies.end_deputy(client, deputy_id)
    if as_json:
        print_document({"schema": "sayso.deputy-ended/1", "id": deputy_id})
    else:
        print_lines([f"Ended {deputy_id}."])


def _list(*, as_json: bool) -> None:
    with this_client() as client:
        found = deputies.list_deputies(client)
    if as_json:
        mine, others = map(_document, found.mine), map(_document, found.others)
        document = {"schema": "sayso.deputies/1", "mine": list(mine), "others": list(others)}
        print_document(document)
        return
    lines = [f"{_line(one)}  {one.id}" for one in (*found.mine, *found.others)]
    print_lines(lines or ["Nobody decides for you, and you decide for nobody else."])


def _moment(text: str, *, whole: bool = False) -> str:
    """A moment as the server reads it; a day begins at midnight here, or ends there."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text} is no date. Write it like 2026-12-24.") from None
    if moment.tzinfo is None:
        is_day = len(text) == len("2026-12-24")
        moment = (moment + timedelta(days=1 if whole and is_day else 0)).astimezone()
    return rfc3339(round(moment.timestamp() * 1000)) or ""


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
