"""How results reach stdout: one JSON document, or plain lines that are safe to draw.

Owns: `--json`, tables, times. Never: stderr, colour, cursor movement.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import click

from server.protocol.text import SafeText, display_safe

MOST_CHARACTERS: Final = 4_000
"""A line is cut beyond that; a curl line must not be cut."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
if_missing_option = click.option(
    "--if-missing", is_flag=True, help="Answer the one that is there, without its secret."
)


def answer(document: Mapping[str, object], lines: Iterable[str], *, as_json: bool) -> None:
    """Print what was asked for: the document, or the lines."""
    if as_json:
        # Everything beyond ASCII is escaped, so that no terminal takes a name for a command.
        click.echo(json.dumps(document))
        return
    for line in lines:
        click.echo(safe(line))


def safe(text: str) -> SafeText:
    """Text that may be drawn; names and reasons were written by others."""
    return display_safe(text, max_chars=MOST_CHARACTERS, max_lines=1)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Columns under their names; one line that says so when there are no rows."""
    cells = [[str(safe(cell)) for cell in row] for row in rows]
    if not cells:
        return ["There are none."]
    lines = [[name.upper() for name in header], *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def sheet(facts: Mapping[str, str | None]) -> list[str]:
    """One fact per line, its name in front; what is None is left out."""
    width = max(map(len, facts))
    return [f"{name:<{width}}  {value}" for name, value in facts.items() if value is not None]


def listed(values: Iterable[str]) -> str:
    """Some values in one cell."""
    return ", ".join(values) or "none"


def rfc3339(at: int | None) -> str | None:
    """A moment as JSON carries it."""
    if at is None:
        return None
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(at: int | None, *, never: str = "never") -> str:
    """A moment as a person reads it."""
    if at is None:
        return never
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
