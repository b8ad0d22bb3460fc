"""`sayso-approver watch`: what happens, as it happens."""

import threading
from collections.abc import Callable

import click

from approver_tui.cli import documents, lines
from approver_tui.cli.opening import this_client
from approver_tui.cli.printing import local_time, print_document, rfc3339
from approver_tui.client.feed import Feed, Listeners
from approver_tui.state.connection import Connection
from approver_tui.state.events import Event


@click.command("watch")
@click.option("--jsonl", is_flag=True, help="Print one JSON object per line.")
@click.option("--cursor", type=click.IntRange(min=0), help="Go on after the event of this number.")
@click.option("--count", type=click.IntRange(min=1), help="Stop after so many events.")
def command(*, jsonl: bool, cursor: int | None, count: int | None) -> None:
    """Print what happens, as it happens, until interrupted.

    Goes on where the last watch on this machine ended.
    """
    stop = threading.Event()
    show = _print_json if jsonl else _print_line
    listeners = Listeners(
        on_event=_stopping_after(count, show, stop),
        on_connection=_say_connection,
        on_resync=lambda: _say_resync(jsonl=jsonl),
        on_problem=lambda problem: click.echo(f"skipped: {problem}", err=True),
    )
    with this_client() as client:
        Feed(client, cursor=cursor, keeps_place=True).run(listeners, stop)


def _stopping_after(
    count: int | None, show: Callable[[Event], None], stop: threading.Event
) -> Callable[[Event], None]:
    left = count

    def shown(event: Event) -> None:
        nonlocal left
        if stop.is_set():
            return
        show(event)
        if left is not None:
            left -= 1
            if left == 0:
                stop.set()

    return shown


def _print_json(event: Event) -> None:
    approval, device = event.approval, event.device
    print_document(
        {
            "schema": "sayso.event/1",
            "event": event.name.value,
            "seq": event.seq,
            "at": rfc3339(event.at),
            "approval": None if approval is None else documents.summary(approval),
            "device": None if device is None else documents.device(device),
        }
    )


def _print_line(event: Event) -> None:
    what = ""
    if event.approval is not None:
        what = f"{event.approval.id}  {event.approval.headline}"
        if event.approval.is_taken_back:
            what += f"  ({lines.standing(event.approval, event.at)})"
    elif event.device is not None:
        what = f"{event.device.id}  {event.device.name}"
    click.echo(f"{local_time(event.at)}  {event.name.value}  {what}".rstrip())


def _say_connection(connection: Connection) -> None:
    reason = f": {connection.reason}" if connection.reason else ""
    click.echo(f"{connection.phase.value}{reason}", err=True)


def _say_resync(*, jsonl: bool) -> None:
    if jsonl:
        print_document({"schema": "sayso.event/1", "event": "resync"})
    else:
        click.echo("Some events were missed; see: sayso-approver inbox")
