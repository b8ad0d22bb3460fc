"""`sayso-approver watch`: events as they happen."""

import threading
from collections.abc import Callable

import click

from approver_tui.attention.notifier import Notifier, handle_event_alert
from approver_tui.cli import documents, lines
from approver_tui.cli.inputs import this_client
from approver_tui.cli.notifications.alerts import stderr_notifier
from approver_tui.cli.printing import local_time, print_document, program
from approver_tui.client.notifications.feed import MAX_CURSOR, Feed, FeedListeners
from approver_tui.state.notifications.connection import Connection
from approver_tui.state.notifications.events import Event

_CHECK_INTERVAL = 1.0
"""Seconds between two checks for repeated alerts."""


@click.command("watch")
@click.option("--jsonl", is_flag=True, help="Print one JSON object per line.")
@click.option(
    "--cursor",
    type=click.IntRange(min=0, max=MAX_CURSOR),
    help="Start after the event with this number.",
)
@click.option("--count", type=click.IntRange(min=1), help="Stop after this many events.")
@click.option(
    "--notify", is_flag=True, help="Also ring the bell and notify you, according to your settings."
)
def watch(*, jsonl: bool, cursor: int | None, count: int | None, notify: bool) -> None:
    """Print events as they happen, until interrupted.

    Continues where the last watch on this machine ended. The bell goes to stderr if that is a
    terminal; otherwise, only desktop notifications are shown.
    """
    stop = threading.Event()
    show: Callable[[Event], None] = _print_json if jsonl else _print_line
    if notify:
        show = _with_alerts(stderr_notifier(), show, stop)
    listeners = FeedListeners(
        on_event=_stop_after(count, show, stop),
        on_connection=_print_connection,
        on_resync=lambda: _print_resync(jsonl=jsonl),
        on_problem=lambda problem: click.echo(f"skipped: {problem}", err=True),
    )
    with this_client() as client:
        Feed(client, cursor=cursor, saves_cursor=True).run(listeners, stop)


def _stop_after(
    count: int | None, show: Callable[[Event], None], stop: threading.Event
) -> Callable[[Event], None]:
    remaining = count

    def show_counted(event: Event) -> None:
        nonlocal remaining
        if stop.is_set():
            return
        show(event)
        if remaining is not None:
            remaining -= 1
            if remaining == 0:
                stop.set()

    return show_counted


def _with_alerts(
    notifier: Notifier, show: Callable[[Event], None], stop: threading.Event
) -> Callable[[Event], None]:
    """Alert before each event is printed, and repeat alerts in a thread."""

    def repeat_alerts() -> None:
        while not stop.wait(_CHECK_INTERVAL):
            notifier.tick()

    def alert_and_show(event: Event) -> None:
        handle_event_alert(notifier, event)
        show(event)

    threading.Thread(target=repeat_alerts, daemon=True).start()
    return alert_and_show


def _print_json(event: Event) -> None:
    print_document(documents.event(event))


def _print_line(event: Event) -> None:
    subject = ""
    if event.approval is not None:
        subject = f"{event.approval.id}  {event.approval.outcome_headline}"
        if event.approval.is_withdrawn:
            subject += f"  ({lines.status_text(event.approval, event.at)})"
    elif event.device is not None:
        subject = f"{event.device.id}  {event.device.name}"
    elif event.about is not None:
        incident = f"  incident {event.about.incident}" if event.about.incident else ""
        subject = f"{event.about.agent_id}  {event.about.agent}{incident}"
    click.echo(f"{local_time(event.at)}  {event.name.value}  {subject}".rstrip())


def _print_connection(connection: Connection) -> None:
    reason = f": {connection.reason}" if connection.reason else ""
    click.echo(f"{connection.phase.value}{reason}", err=True)


def _print_resync(*, jsonl: bool) -> None:
    if jsonl:
        print_document(documents.event(None))
    else:
        click.echo(f"Some events were missed; see: {program()} inbox")
