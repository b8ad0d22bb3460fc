"""The entries of a search or a timeline of the audit log, as a file.

Owns: the formats. Never: who may read the log; each part of the file is a separate API call.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Final

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from server.protocol import errors
from server.web import days
from server.web.browser import HEADERS
from server.web.calls import Document
from server.web.page import Facts
from server.web.visit import Visit

_SEARCH: Final = "GET /api/audit"
_TIMELINE: Final = "GET /api/audit/<id>/timeline"
PARAMETERS: Final = ("type", "actor", "agent", "user", "resource", "approval", "from", "to")
"""The query parameters of a search."""
_COLUMNS: Final = ("at", "type", "actor", "id", "correlation_id")
_FORMULA_PREFIXES: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet evaluates a cell that begins with one of these as a formula."""


def load(visit: Visit) -> Facts | AnyResponse:
    """GET /admin/audit with `format` (`csv` or `jsonl`): a file instead of the page."""
    filters = {name: text for name in PARAMETERS if (text := request.args.get(name, "").strip())}
    query = {**filters, **days.span(filters)}
    for name in ("from", "to"):
        query.pop(name, None)
    return _file(lambda: visit.read_all(_SEARCH, **query))


def load_timeline(visit: Visit) -> Facts | AnyResponse:
    """GET /admin/audit/timelines/<id> with `format`: a file instead of the page."""
    return _file(lambda: iter(visit.read(_TIMELINE, visit.record_id)["items"]))


def _file(entries: Callable[[], Iterator[Document]]) -> Facts | AnyResponse:
    """The file in the requested format; no variables if the query has no `format`."""
    name = request.args.get("format", "")
    if not name:
        return {}
    if name not in _FORMATS:
        raise errors.invalid_body("format must be csv or jsonl.")
    media_type, text_of = _FORMATS[name]
    response = Response(text_of(entries()), mimetype=media_type)
    response.headers.extend(HEADERS)
    response.headers["Content-Disposition"] = f'attachment; filename="audit.{name}"'
    return response


def _json_lines(entries: Iterator[Document]) -> Iterator[str]:
    return (f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in entries)


def _csv(entries: Iterator[Document]) -> Iterator[str]:
    yield _row([*_COLUMNS, "actor_name", "members"])
    for entry in entries:
        name = entry["names"].get("actor", "")
        members = json.dumps(entry["members"], ensure_ascii=False)
        yield _row([*(entry[column] for column in _COLUMNS), name, members])


def _row(values: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(
        f"'{value}" if value.startswith(_FORMULA_PREFIXES) else value for value in values
    )
    return line.getvalue()


_FORMATS: Final = {
    "csv": ("text/csv", _csv),
    "jsonl": ("application/jsonl", _json_lines),
}
