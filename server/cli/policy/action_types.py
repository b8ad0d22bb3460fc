"""`sayso actions`: action types."""

import json
from collections.abc import Callable
from typing import Any, TextIO

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import answer, if_missing_option, join_names, json_option, moment, table
from server.model.policy import ActionRow
from server.protocol import errors, json_text
from server.protocol.approvals import ceremonies
from server.protocol.policy.fact_rules import FactToType, TypeBackRule
from server.protocol.policy.uses import as_pointer
from server.protocol.times import rfc3339
from server.services.policy import action_types, builtin_action_types
from server.services.refusals import Exists, Invalid


def file_or_builtin(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add FILE and --builtin: the file of an action type, or the name of a built-in one."""
    argument = click.argument("file", type=click.File("r", encoding="utf-8-sig"), required=False)
    option = click.option("--builtin", "name", metavar="TYPE", help="A built-in action type.")
    return argument(option(function))


@click.group("actions")
def command() -> None:
    """Action types: JSON files that say how an agent's details are shown to approvers."""


@command.command("add")
@file_or_builtin
@if_missing_option
@prints
def add(
    admin: OpenInstallation, file: TextIO | None, *, name: str | None, if_missing: bool
) -> Printed:
    """Register an action type from a file.

    docs/action-types.md explains the members of the file. `sayso actions builtin` lists the
    built-in action types; --builtin registers one of them.
    """
    text = _read(file, name)
    try:
        row = admin.actions.add(text, by=admin.by)
    except Exists:
        if not if_missing:
            raise
        existing = admin.actions.show(action_types.read(text).type)
        line = f"{existing.type} is already registered, in version {existing.version}."
        return _document(existing), [line]
    lines = [
        f"Registered {row.type}.",
        *_template_lines(row),
        "To require it for a scope:",
        f"  sayso resources update URI --requires SCOPE={row.type}",
    ]
    return _document(row), lines


@command.command("list")
@prints
def show_all(admin: OpenInstallation) -> Printed:
    """List all action types."""
    actions = admin.actions.all()
    documents = [_document(row) for row in actions]
    rows = [tuple(str(d[name]) for name in ("type", "version", "risk", "title")) for d in documents]
    lines = table(("type", "version", "risk", "title"), rows)
    return {"items": documents}, lines


@command.command("show")
@click.argument("name", metavar="TYPE")
@prints
def show(admin: OpenInstallation, name: str) -> Printed:
    """Show one action type with its file."""
    row = admin.actions.show(name)
    document = json.loads(row.document)
    lines = [
        f"{row.type}, version {row.version}, since {moment(row.created_at)}",
        *_template_lines(row),
        *_fact_rule_lines(row),
        *json.dumps(document, indent=2, ensure_ascii=False).splitlines(),
    ]
    return {**_document(row), "document": document}, lines


@command.command("builtin")
@click.argument("name", metavar="[TYPE]", required=False)
@json_option
def show_builtin(name: str | None, *, as_json: bool) -> None:
    """List the built-in action types, or print the file of one, to copy and change."""
    if name is not None:
        text = builtin_action_types.document(name)
        answer(json.loads(text), text.splitlines(), as_json=as_json)
        return
    documents = [json.loads(text) for text in builtin_action_types.documents().values()]
    columns = ("type", "risk", "title", "headline")
    rows = [tuple(str(document[member]) for member in columns) for document in documents]
    lines = [
        *table(columns, rows),
        f"Sayso uses {builtin_action_types.GENERIC} automatically for types without a headline.",
        "To register one:",
        "  sayso actions add --builtin TYPE",
    ]
    items = [{member: document[member] for member in columns} for document in documents]
    answer({"items": items}, lines, as_json=as_json)


@command.command("update")
@file_or_builtin
@prints
def update(admin: OpenInstallation, file: TextIO | None, *, name: str | None) -> Printed:
    """Store a new version, which new requests use."""
    row = admin.actions.update(_read(file, name), by=admin.by)
    line = f"Updated {row.type} to version {row.version}."
    return _document(row), [line, *_template_lines(row)]


@command.command("preview")
@file_or_builtin
@click.option(
    "--details", type=click.File("r", encoding="utf-8-sig"), help="The details, as a JSON object."
)
@prints
def preview(
    admin: OpenInstallation, file: TextIO | None, *, name: str | None, details: TextIO | None
) -> Printed:
    """Show how approvers would see a request of this type. Registers nothing.

    Without --details, example details are used.
    """
    parsed = None if details is None else _details(details.read())
    rendered = admin.previews.preview(_read(file, name), parsed)
    display = json.loads(rendered.display)
    lines = [
        f"{display['headline']}  ({display['risk_reason'] or display['risk'] + ' risk'})",
        *(f"  {fact['label']}: {fact['value']}" for fact in display["facts"]),
        f"  Undo: {display['undo']}",
        f"  Approving requires: {ceremonies.ceremony_text(rendered.ceremony)}",
    ]
    document = {
        "details": dict(rendered.details),
        "display": display,
        "ceremony": ceremonies.ceremony_text(rendered.ceremony),
    }
    return document, lines


@command.command("delete")
@click.argument("name", metavar="TYPE")
@prints
def delete(admin: OpenInstallation, name: str) -> Printed:
    """Delete an action type. Pending requests for it can no longer be approved."""
    row = admin.actions.delete(name, by=admin.by)
    return {"type": row.type, "deleted": True}, [f"{row.type} is deleted."]


def _details(text: str) -> dict[str, Any]:
    try:
        value = json_text.parse(text, what="The details")
    except errors.InvalidRequest as error:
        raise Invalid(f"{error.description}.") from None
    if not isinstance(value, dict):
        raise Invalid("The details must be one JSON object.")
    return value


def _read(file: TextIO | None, name: str | None) -> str:
    if file is not None and name is None:
        return file.read()
    if file is None and name is not None:
        return builtin_action_types.registrable(name)
    raise click.UsageError("Give either FILE or --builtin TYPE.")


def _template_lines(row: ActionRow) -> list[str]:
    action = action_types.read(row.document)
    if action.has_template:
        return []
    generic = builtin_action_types.GENERIC
    return [f"It has no headline, so `{generic}` shows it, at {action.risk} risk."]


def _fact_rule_lines(row: ActionRow) -> list[str]:
    """The lines about the type-back, narrowing and history of the type."""
    fact_rules = action_types.read(row.document).fact_rules
    new = "" if fact_rules.target is None else f"; new values of {as_pointer(fact_rules.target)}"
    amount = "" if fact_rules.amount is None else f"; amounts of {as_pointer(fact_rules.amount)}"
    narrow = [f"{as_pointer(path)} ({rule})" for path, rule in fact_rules.narrow.items()]
    return [
        f"typed back: {_type_back_text(fact_rules.type_back)}",
        f"can be narrowed: {join_names(narrow)}",
        f"compared with earlier approvals: agent, permissions, hour{new}{amount}",
    ]


def _type_back_text(rule: TypeBackRule | None) -> str:
    if rule is None:
        return "nothing"
    sentence = _fact_in_words(rule.fact)
    if rule.new_target is not None:
        sentence += f"; for a new target {_fact_in_words(rule.new_target)}"
    if rule.if_there is not None:
        sentence += f"; if present {_fact_in_words(rule.if_there)}"
    return sentence


def _fact_in_words(fact: FactToType) -> str:
    part = "the last four characters of " if fact.part == "last_four" else ""
    return f"{part}{as_pointer(fact.path)}"


def _document(row: ActionRow) -> dict[str, object]:
    action = action_types.read(row.document)
    fact_rules = action.fact_rules
    return {
        "type": row.type,
        "title": action.title,
        "risk": str(action.risk),
        "undo": action.undo,
        "type_back": _rule(fact_rules.type_back),
        "narrow": {as_pointer(path): rule for path, rule in fact_rules.narrow.items()},
        "target": None if fact_rules.target is None else as_pointer(fact_rules.target),
        "amount": None if fact_rules.amount is None else as_pointer(fact_rules.amount),
        "deputies": action.deputies,
        "version": row.version,
        "created_at": rfc3339(row.created_at),
    }


def _rule(rule: TypeBackRule | None) -> dict[str, object] | None:
    if rule is None:
        return None
    other_facts = {"new_target": rule.new_target, "if_there": rule.if_there}
    documents = {name: None if fact is None else _fact(fact) for name, fact in other_facts.items()}
    return {**_fact(rule.fact), **documents}


def _fact(fact: FactToType) -> dict[str, object]:
    return {"fact": as_pointer(fact.path), "part": fact.part}
