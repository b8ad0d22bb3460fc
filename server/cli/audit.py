"""`sayso audit`: the log."""

import json
import time
from collections.abc import Iterator
from typing import Final

import click

from server.cli.opening import Desk, administers
from server.cli.output import answer, json_option, rfc3339, safe
from server.services.records import StoredEntry

_LOOK_EVERY_SECONDS: Final = 0.5
_AT_ONCE: Final = 1_000
_LATE: Final = 200
"""Entries of other processes may come in between those that were shown; so far back we look."""


@click.group("audit")
def command() -> None:
    """The log of everything that was done."""


@command.command("tail")
@click.option("-n", "count", type=click.IntRange(1, _AT_ONCE), default=20, show_default=True)
@click.option("--follow", is_flag=True, help="Go on until interrupted.")
@click.option("--jsonl", is_flag=True, help="One JSON document per line; for --follow.")
@json_option
@administers
def tail(desk: Desk, count: int, *, follow: bool, jsonl: bool, as_json: bool) -> None:
    """The last entries, oldest first."""
    if as_json and (follow or jsonl):
        raise click.UsageError("--json prints one document. For a stream use --jsonl.")
    if not follow and not jsonl:
        entries = desk.oversight.entries(count)
        document = {"items": [entry_document(entry) for entry in entries]}
        answer(document, map(entry_line, entries), as_json=as_json)
        return
    for entry in _stream(desk, count, follow=follow):
        click.echo(json.dumps(entry_document(entry)) if jsonl else safe(entry_line(entry)))


def entry_document(entry: StoredEntry) -> dict[str, object]:
    """An entry in JSON: what its bytes say, its time readable, its leaf in hexadecimal."""
    members: dict[str, object] = json.loads(entry.body)
    return {**members, "at": rfc3339(entry.at), "leaf": entry.leaf.hex()}


def entry_line(entry: StoredEntry) -> str:
    """An entry on one line."""
    members: dict[str, object] = json.loads(entry.body)
    told = {"v", "id", "at", "type", "actor", "facts", "correlation_id", "action"}
    facts = members.get("facts")
    more = {**members, **facts} if isinstance(facts, dict) else members
    words = [f"{name}={_word(value)}" for name, value in more.items() if name not in told]
    return "  ".join([str(rfc3339(entry.at)), f"{entry.type:<24}", entry.actor, " ".join(words)])


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _stream(desk: Desk, count: int, *, follow: bool) -> Iterator[StoredEntry]:
    shown = desk.oversight.entries(max(count, _LATE))
    yield from shown[-count:]
    known = [entry.id for entry in shown]
    while follow:
        time.sleep(_LOOK_EVERY_SECONDS)
        after = known[0] if known else ""
        new = [e for e in desk.oversight.entries(_AT_ONCE, after) if e.id not in known]
        yield from new
        known = sorted([*known, *(entry.id for entry in new)])[-_LATE:]
