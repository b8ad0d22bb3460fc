"""Output on stdout: one JSON document, or plain lines without control characters.

Owns: `--json`, tables, times. Never: writing to stderr, color, cursor movement.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

import click

from server.protocol.text import SafeText, display_safe
from server.protocol.times import time_text

MAX_CHARACTERS: Final = 4_000
"""The maximum length of a line, which is enough for a curl command. Longer lines are cut."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
if_missing_option = click.option(
    "--if-missing", is_flag=True, help="If it already exists, print it without its secret."
)


class Model(Protocol):
    """What printing needs from an HTTP API model."""

    def model_dump(self, *, by_alias: bool) -> dict[str, object]:
        """Its members as plain values."""


Document: TypeAlias = Mapping[str, object] | Callable[[], "Mapping[str, object] | Model"]
"""What `--json` prints. A function is called only then: the API's models are slow to load."""


def answer(document: Document, lines: Iterable[str], *, as_json: bool) -> None:
    """Print the JSON document or the lines."""
    if as_json:
        # Non-ASCII characters are escaped, so that names cannot control the terminal.
        printed = document() if callable(document) else document
        click.echo(json.dumps(printed, default=members_of))
        return
    for line in lines:
        click.echo(safe(line))


def members_of(model: Model) -> dict[str, object]:
    """The members of a model, to add others to them."""
    return model.model_dump(by_alias=True)


def with_names(model: Model, *people: str) -> dict[str, object]:
    """The members of a model. The members in `people` have only the names of users and groups."""
    members = members_of(model)
    return {**members, **{member: _names(members[member]) for member in people}}


def _names(people: Any) -> object:  # noqa: ANN401  # a reference, several references or None
    if isinstance(people, list):
        return [person["name"] for person in people]
    return people and people["name"]


def safe(text: str) -> SafeText:
    """Text without control characters, because names and reasons are untrusted."""
    return display_safe(text, max_chars=MAX_CHARACTERS, max_lines=1)


def json_text(value: object) -> str:
    """A value as JSON; a string without quotation marks."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table with a header, or one line if there are no rows."""
    cells = [[str(safe(cell)) for cell in row] for row in rows]
    if not cells:
        return ["No results."]
    lines = [[name.upper() for name in header], *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def sheet(facts: Mapping[str, str | None]) -> list[str]:
    """One line per fact, with its name first. Facts that are None are left out."""
    width = max(map(len, facts))
    return [f"{name:<{width}}  {value}" for name, value in facts.items() if value is not None]


def join_names(values: Iterable[str]) -> str:
    """Values as one string, separated by commas; "none" if there are none."""
    return ", ".join(values) or "none"


def moment(at: int | None, *, never: str = "never") -> str:
    """A time as people read it, in UTC."""
    return never if at is None else time_text(at)
