"""`sayso outbox`: outbox messages and their retries."""

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import moment, table
from server.lazy_imports import lazily

with lazily():
    from server.http.notifications import outbox_wire


@click.group("outbox")
def command() -> None:
    """List and retry outbox messages: callbacks of agents, web push, the webhook."""


@command.command("list")
@prints
def show_all(services: OpenInstallation) -> Printed:
    """Count the messages, and list the undelivered ones, newest first."""
    state = services.outbox.state()
    counts = {name: state.counts.get(name, 0) for name in ("waiting", "leased", "sent", "dead")}
    rows = [
        (
            str(message.message.id),
            message.message.channel,
            message.recipient,
            str(message.message.attempts),
            moment(message.message.created_at),
            message.message.last_error or "",
        )
        for message in state.dead
    ]
    lines = [
        "{waiting} waiting, {leased} in delivery, {dead} undelivered.".format(**counts),
        *table(("id", "channel", "to", "attempts", "created", "error"), rows),
        *(["To retry a message, run: sayso outbox retry ID"] if rows else []),
    ]
    return lambda: outbox_wire.answer(state, ()), lines


@command.command("retry")
@click.argument("message_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@prints
def retry(services: OpenInstallation, message_id: int) -> Printed:
    """Retry an undelivered message now."""
    message = services.outbox.retry(message_id, by=services.by)
    line = f"Message {message_id} to {message.recipient} is queued. The running server sends it."
    return lambda: outbox_wire.undelivered(message), [line]
