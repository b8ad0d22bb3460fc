"""How results reach stdout: one JSON document, or plain lines.

Owns: how both write times, and the program's name. Never: stderr on success, color, cursor
movement.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps

import click

PROGRAM = "sayso-approver"
"""The name of the program."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))

_JSON_KEY = f"{__name__}.as_json"


def _store_json_flag(context: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's signature
    context.meta[_JSON_KEY] = value


as_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    expose_value=False,
    callback=_store_json_flag,
    help="Print one JSON document.",
)


def group(name: str) -> Callable[[Callable[[], None]], click.Group]:
    """Return a decorator for a command group; without a subcommand, the function runs."""

    def decorate(show: Callable[[], None]) -> click.Group:
        @wraps(show)
        def run() -> None:
            if click.get_current_context().invoked_subcommand is None:
                show()

        return click.group(name, invoke_without_command=True)(as_json(run))

    return decorate


def wants_json() -> bool:
    """Whether the running command was given `--json`."""
    is_json: bool = click.get_current_context().meta.get(_JSON_KEY, False)
    return is_json


def program() -> str:
    """Return the program's name with any `--profile`, for the commands that a message suggests."""
    context = click.get_current_context(silent=True)
    name = None if context is None else context.find_root().params.get("profile")
    return PROGRAM if name is None else f"{PROGRAM} --profile {name}"


def name_profile(text: str, program_name: str) -> str:
    """Return a message in which each suggested command starts with `program_name`."""
    return re.sub(rf"\b{PROGRAM} (?!--profile )", f"{program_name} ", text)


def has_terminal() -> bool:
    """Return whether stdin and stdout are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def print_document(document: Mapping[str, object]) -> None:
    """Print one JSON document. Non-ASCII is escaped, so that no terminal interprets it."""
    click.echo(json.dumps(document))


def print_lines(lines: Iterable[str]) -> None:
    """Print plain lines, which must already be safe to draw."""
    click.echo("\n".join(lines))


def print_to_stderr(lines: Iterable[str]) -> None:
    """Print plain lines on stderr, so that stdout has only the result."""
    for line in lines:
        click.echo(line, err=True)


def align(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return rows of a table with three columns as lines."""
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in rows]


def print_result(document: Mapping[str, object], lines: Iterable[str]) -> None:
    """Print the document with `--json`, else the lines."""
    if wants_json():
        print_document(document)
    else:
        print_lines(lines)


def print_list(
    schema: str, items: Sequence[Mapping[str, object]], lines: Sequence[str], *, empty: str
) -> None:
    """Print a whole list: one document, or the lines of its entries; `empty` if there are none."""
    document = {"schema": schema, "items": items, "next": None}
    print_result(document, lines or [empty])


def rfc3339(at: int | None) -> str | None:
    """Return a time for JSON."""
    if at is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_time(at: int) -> str:
    """Return a time in this machine's time zone."""
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
