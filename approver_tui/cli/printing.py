"""How results reach stdout: one JSON document, or plain lines.

Owns: times and words that both use, the program's name. Never: stderr on success, color, cursor
movement.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import click

PROGRAM = "sayso-approver"
"""The name of the program."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def has_terminal() -> bool:
    """Return whether stdin and stdout are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def print_document(document: Mapping[str, object]) -> None:
    """Print one JSON document; everything beyond ASCII is escaped, so no terminal reads it."""
    click.echo(json.dumps(document))


def print_lines(lines: Iterable[str]) -> None:
    """Print plain lines, which must be safe already."""
    click.echo("\n".join(lines))


def rfc3339(at: int | None) -> str | None:
    """Return a moment for JSON."""
    if at is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_time(at: int) -> str:
    """Return a moment in local form."""
    moment = _EPOCH + timedelta(milliseconds=at)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def time_left(until: int, now: int) -> str:
    """Return the time until a moment, in at most two units."""
    seconds = (until - now) // 1000
    if seconds <= 0:
        return "over"
    parts = []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}" + ("s" if count > 1 else ""))
    return " ".join(parts[:2])
