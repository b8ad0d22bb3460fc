"""`sayso policy`: when a human is needed."""

from typing import TextIO

import click

from server.cli.opening import BY, Desk, administers
from server.cli.output import answer, json_option, moment, rfc3339
from server.services.policy.binding import DEFAULT_VERSION
from server.services.policy.records import PolicyRow

file_argument = click.argument("file", type=click.File("r", encoding="utf-8"))


@click.group("policy")
def command() -> None:
    """Policy: TOML files of rules that say what is allowed, what asks a person, what never."""


@command.command("show")
@json_option
@administers
def show(desk: Desk, *, as_json: bool) -> None:
    """The rule set in force, as it was written."""
    row = desk.policies.show()
    lines = [f"# {_title(row)}", f"# {row.hash}", *row.document.splitlines()]
    answer(policy_document(row), lines, as_json=as_json)


@command.command("set")
@file_argument
@json_option
@administers
def put(desk: Desk, file: TextIO, *, as_json: bool) -> None:
    """Put a rule set in force. It is read and checked whole; requests that wait are held to it."""
    row = desk.policies.set(file.read(), by=BY)
    lines = [f"{_title(row)}, is in force.", "To see it: sayso policy show"]
    answer(policy_document(row), lines, as_json=as_json)


def policy_document(row: PolicyRow) -> dict[str, object]:
    """A rule set in JSON; `names` are what it calls agents and people, with what that meant."""
    return {
        "version": row.version,
        "hash": row.hash,
        "default": row.version == DEFAULT_VERSION,
        "set_by": row.set_by,
        "set_at": None if row.version == DEFAULT_VERSION else rfc3339(row.set_at),
        "names": {"agents": dict(row.agents), "users": dict(row.users)},
        "document": row.document,
    }


def _title(row: PolicyRow) -> str:
    if row.version == DEFAULT_VERSION:
        return "The policy that Sayso comes with"
    return f"Policy {row.version}, set {moment(row.set_at)} by {row.set_by}"
