"""`sayso actions`: action types."""

import json
from typing import TextIO

import click

from server.cli.opening import BY, Desk, administers
from server.cli.output import answer, if_missing_option, json_option, moment, rfc3339, table
from server.services import actions
from server.services.records import ActionRow
from server.services.refusals import Exists

file_argument = click.argument("file", type=click.File("r", encoding="utf-8"))


@click.group("actions")
def command() -> None:
    """Action types: JSON files that turn an agent's details into words a person can judge."""


@command.command("add")
@file_argument
@if_missing_option
@json_option
@administers
def add(desk: Desk, file: TextIO, *, if_missing: bool, as_json: bool) -> None:
    """Register a type: type, title, schema, headline, material, risk, undo; labels if you like."""
    text = file.read()
    try:
        row = desk.actions.add(text, by=BY)
    except Exists:
        if not if_missing:
            raise
        present = desk.actions.show(actions.read(text).type)
        line = f"{present.type} is registered already, in version {present.version}."
        answer(_document(present), [line], as_json=as_json)
        return
    lines = [
        f"{row.type} is registered.",
        "To let a scope be given only with it:",
        f"  sayso resources update URI --requires SCOPE={row.type}",
    ]
    answer(_document(row), lines, as_json=as_json)


@command.command("list")
@json_option
@administers
def show_all(desk: Desk, *, as_json: bool) -> None:
    """Every action type."""
    found = desk.actions.all()
    documents = [_document(row) for row in found]
    rows = [tuple(str(d[name]) for name in ("type", "version", "risk", "title")) for d in documents]
    lines = table(("type", "version", "risk", "title"), rows)
    answer({"items": documents}, lines, as_json=as_json)


@command.command("show")
@click.argument("name", metavar="TYPE")
@json_option
@administers
def show(desk: Desk, name: str, *, as_json: bool) -> None:
    """One action type, its file included."""
    row = desk.actions.show(name)
    lines = [
        f"{row.type}, version {row.version}, since {moment(row.created_at)}",
        *json.dumps(json.loads(row.document), indent=2, ensure_ascii=False).splitlines(),
    ]
    members = {**_document(row), "document": json.loads(row.document)}
    answer(members, lines, as_json=as_json)


@command.command("update")
@file_argument
@json_option
@administers
def update(desk: Desk, file: TextIO, *, as_json: bool) -> None:
    """A new version, which requests from now on are shown by."""
    row = desk.actions.update(file.read(), by=BY)
    answer(_document(row), [f"{row.type} is in version {row.version}."], as_json=as_json)


@command.command("delete")
@click.argument("name", metavar="TYPE")
@json_option
@administers
def delete(desk: Desk, name: str, *, as_json: bool) -> None:
    """Forget a type. Requests that wait keep what they were shown as."""
    row = desk.actions.delete(name, by=BY)
    answer({"type": row.type, "deleted": True}, [f"{row.type} is deleted."], as_json=as_json)


def _document(row: ActionRow) -> dict[str, object]:
    action = actions.read(row.document)
    return {
        "type": row.type,
        "title": action.title,
        "risk": str(action.risk),
        "undo": action.undo,
        "version": row.version,
        "created_at": rfc3339(row.created_at),
    }
