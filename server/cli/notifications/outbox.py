"""`sayso outbox`: what leaves the installation, and what was given up."""

import click

from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, json_option, moment, rfc3339, table
from server.services.notifications.outbox import GivenUpMessage


@click.group("outbox")
def command() -> None:
    """Calls of agents, pushes and the webhook: what waits, what was given up, and once more."""


@command.command("list")
@json_option
@administers
def show_all(desk: OpenInstallation, *, as_json: bool) -> None:
    """How many messages wait, and those that were given up, newest first."""
    state = desk.outgoing.state()
    counts = {name: state.counts.get(name, 0) for name in ("waiting", "leased", "sent", "dead")}
    rows = [
        (
            str(one.message.id),
            one.message.channel,
            one.whom,
            str(one.message.attempts),
            moment(one.message.created_at),
            one.message.last_error or "",
        )
        for one in state.dead
    ]
    lines = [
        "{waiting} wait, {leased} are on their way, {dead} were given up.".format(**counts),
        *table(("id", "channel", "to", "tries", "made", "why"), rows),
        *(["To try one once more: sayso outbox retry ID"] if rows else []),
    ]
    items = [_document(one) for one in state.dead]
    answer({"counts": counts, "items": items}, lines, as_json=as_json)


@command.command("retry")
@click.argument("message_id", metavar="ID", type=click.IntRange(1))
@json_option
@administers
def retry(desk: OpenInstallation, message_id: int, *, as_json: bool) -> None:
    """Let a message that was given up leave after all, now."""
    found = desk.outgoing.retry(message_id, by=BY)
    line = f"The message {message_id} to {found.whom} leaves as soon as the server runs."
    answer(_document(found), [line], as_json=as_json)


def _document(one: GivenUpMessage) -> dict[str, object]:
    message = one.message
    return {
        "id": message.id,
        "channel": message.channel,
        "whom": one.whom,
        "state": message.state,
        "attempts": message.attempts,
        "last_error": message.last_error,
        "created_at": rfc3339(message.created_at),
    }
