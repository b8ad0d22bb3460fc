"""`sayso audit`: the audit log."""

import json
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final, TextIO

import click

from server.cli.confirmation import confirm, force_option
from server.cli.opening import OpenInstallation, Printed, administers, prints
from server.cli.output import answer, json_option, json_text, safe, sheet
from server.cli.params import moment_ms, span_ms
from server.cli.split_group import SplitGroup
from server.lazy_imports import lazily
from server.model.audit import EntrySearch, StoredEntry
from server.protocol.text import pluralize
from server.protocol.times import rfc3339
from server.services.refusals import NotFound

with lazily():
    from server.cli.audit.log import sign_and_get_log

_POLL_SECONDS: Final = 0.5
_MAX_ENTRIES: Final = 1_000
_OVERLAP_ENTRIES: Final = 200
"""How many of the last entries to read again: other processes can store earlier entries late."""


@click.group(
    "audit",
    cls=SplitGroup,
    elsewhere={
        "key": "audit.log.key",
        "rotate-key": "audit.log.rotate_key",
        "checkpoint": "audit.log.checkpoint",
        "export": "audit.log.export",
        "prove": "audit.log.prove",
        "verify": "audit.log.verify",
        "diff": "audit.log.diff",
        "stream": "audit.stream.stream",
        "streams": "audit.stream.streams",
    },
)
def command() -> None:
    """Read and verify the audit log."""


@command.command("tail")
@click.option("-n", "count", type=click.IntRange(1, _MAX_ENTRIES), default=20, show_default=True)
@click.option("--follow", is_flag=True, help="Print new entries until interrupted.")
@click.option("--jsonl", is_flag=True, help="One JSON document per line; for --follow.")
@json_option
@administers
def tail(admin: OpenInstallation, count: int, *, follow: bool, jsonl: bool, as_json: bool) -> None:
    """Print the last entries, oldest first."""
    if as_json and (follow or jsonl):
        raise click.UsageError("--json prints one document. For a stream use --jsonl.")
    if not follow and not jsonl:
        entries = admin.entries.newest(count)
        document = {"items": [entry_document(entry) for entry in entries]}
        answer(document, map(entry_line, entries), as_json=as_json)
        return
    for entry in _stream(admin, count, follow=follow):
        click.echo(json.dumps(entry_document(entry)) if jsonl else safe(entry_line(entry)))


@command.command("show")
@click.argument("any_id", metavar="ID")
@click.option("--timeline", is_flag=True, help="Show the timeline of an entry.")
@prints
def show(admin: OpenInstallation, any_id: str, *, timeline: bool) -> Printed:
    """Show one entry, or the timeline of a request, a token or an API call.

    The ID is that of an entry, a request, a token (jti) or an API call (correlation ID). A timeline
    has every entry from the first call to the last use, with the seconds since the first.
    """
    if timeline:
        return _timeline(admin.entries.timeline(any_id))
    try:
        document = entry_document(admin.entries.get(any_id))
    except NotFound:
        return _timeline(admin.entries.timeline(any_id))
    facts = {name: json_text(value) for name, value in document.items() if value is not None}
    return document, sheet(facts)


def _timeline(entries: Sequence[StoredEntry]) -> Printed:
    start = entries[0].at
    lines = [f"{(entry.at - start) / 1000:+8.1f} s  {entry_line(entry)}" for entry in entries]
    return {"items": [entry_document(entry) for entry in entries]}, lines


@command.command("search")
@click.option("--type", "kind", help="The type, such as agent.disabled.")
@click.option("--actor", help="Who did it: a name, an ID as in the log, policy or expiry.")
@click.option(
    "--agent",
    metavar="CLIENT",
    help="What an agent or app did, and what others did for its calls. A name or client_id.",
)
@click.option("--user", metavar="USER", help="The user it concerns.")
@click.option("--resource", metavar="URI")
@click.option("--approval", metavar="ID", help="The request it concerns.")
@click.option("--correlation", metavar="ID", help="The API call that caused it.")
@click.option(
    "--hash", "value_hash", help="The hash of a value that the log does not store; see audit hash."
)
@click.option(
    "--since", metavar="WHEN", help="A date, a time, or a duration before now such as 24h."
)
@click.option("--until", metavar="WHEN", help="Entries before this time.")
@click.option("-n", "count", type=click.IntRange(1, _MAX_ENTRIES), default=50, show_default=True)
@click.option("--before", metavar="ID", help="Entries older than this one.")
@prints
def search(
    admin: OpenInstallation, /, count: int, before: str | None, **filters: str | None
) -> Printed:
    """Search the audit log, newest first."""
    if before is not None:
        admin.entries.get(before)  # raises NotFound for an unknown ID
    entries = admin.entries.search(_entry_search(admin, filters), count, before)
    document = {"items": [entry_document(entry) for entry in entries]}
    return document, map(entry_line, entries)


@command.command("hash")
@click.argument("source", metavar="FILE", type=click.File("r", encoding="utf-8-sig"), default="-")
@prints
def hash_value(admin: OpenInstallation, source: TextIO) -> Printed:
    """Print the hash by which a login hint or an `auth_req_id` is found in the log.

    FILE contains the value; the default, -, reads stdin. Pass the hash to `audit search --hash`.
    """
    digest = admin.value_hash(source.read())
    return {"hash": digest}, [digest]


@command.command("erase")
@click.argument("name_or_id", metavar="USER")
@force_option
@prints
def erase(admin: OpenInstallation, /, name_or_id: str, *, force: bool) -> Printed:
    """Delete the personal texts of a user from every entry. This cannot be undone.

    These are their name, the names of their devices, IP addresses,
    what was requested in their name, and what they typed. IDs stay, and the log still verifies.
    """
    name = admin.users.show(name_or_id)[0].name
    if not force:
        confirm(
            f"Permanently erase {safe(name)} from the audit log?",
            f"Erasing {name} cannot be undone. To skip the question, add --force.",
        )
    user, texts = admin.retention.erase(name_or_id, by=admin.by)
    return (
        {"user": user.id, "texts": texts},
        [f"Erased {pluralize(texts, 'text')} of {user.name} from the audit log. IDs are kept."],
    )


@command.command("trim")
@click.option(
    "--before",
    metavar="WHEN",
    required=True,
    help="A date, a time, or a duration before now such as 365d. At least 30 days ago.",
)
@force_option
@prints
def trim(admin: OpenInstallation, before: str, *, force: bool) -> Printed:
    """Delete the contents of old entries. Their hashes stay, so the log still verifies.

    This cannot be undone. Entries with keys that verify later entries keep their contents.
    Export the log first if you may need its contents.
    """
    moment = _time(before, admin.now) or 0
    sign_and_get_log(admin)
    if not force:
        count = pluralize(admin.retention.preview(moment).entries, "entry", "entries")
        confirm(
            f"Permanently delete the contents of {count}?",
            f"Deleting the contents of {count} cannot be undone. "
            "To delete without a question, add --force.",
        )
    trim = admin.retention.announce(moment, by=admin.by)
    sign_and_get_log(admin)
    admin.retention.delete()
    text = f"Deleted the contents of {pluralize(trim.entries, 'entry', 'entries')}."
    return {"before": trim.before, "entries": trim.entries}, [text]


def _entry_search(admin: OpenInstallation, filters: Mapping[str, str | None]) -> EntrySearch:
    return EntrySearch(
        type=filters["kind"],
        actor=filters["actor"],
        agent_id=_id_of(filters["agent"], partial(_client_id, admin)),
        subject=_id_of(filters["user"], lambda name: admin.users.show(name)[0].id),
        resource=filters["resource"],
        approval_id=filters["approval"],
        correlation_id=filters["correlation"],
        value_hash=filters["value_hash"],
        since=_time(filters["since"], admin.now),
        until=_time(filters["until"], admin.now),
    )


def _client_id(admin: OpenInstallation, name_or_id: str) -> str:
    """The agent or app with this name. Raises `NotFound`."""
    try:
        return admin.agents.show(name_or_id)[0].id
    except NotFound:
        with suppress(NotFound):
            return admin.apps.show(name_or_id).id
        raise


def _time(text: str | None, now: int) -> int | None:
    """A time in milliseconds; a duration counts back from now."""
    if text is None:
        return None
    span = span_ms(text)
    return moment_ms(text, now) if span is None else now - span


def _id_of(name_or_id: str | None, find: Callable[[str], str]) -> str | None:
    """Resolve a name to an ID. Deleted agents and users can be named only by ID."""
    if name_or_id is None or name_or_id.startswith("sayso_"):
        return name_or_id
    return find(name_or_id)


def entry_document(entry: StoredEntry) -> dict[str, object]:
    """An entry as JSON: its members, its time as a string, and its leaf in hexadecimal."""
    members: dict[str, object] = entry.members
    names = dict(entry.names)
    return {**members, "at": rfc3339(entry.at), "names": names, "leaf": entry.leaf.hex()}


def entry_line(entry: StoredEntry) -> str:
    """An entry on one line."""
    members: dict[str, object] = entry.members
    hidden = {"v", "id", "at", "type", "actor", "facts", "correlation_id", "action", "committed"}
    facts = members.get("facts")
    flat = {**members, **facts} if isinstance(facts, dict) else members
    named = {**flat, **{name: entry.names.get(name, flat[name]) for name in flat}}
    printed = {
        name: value
        for name, value in named.items()
        if name not in hidden and not name.endswith("_hash")
    }
    words = [f"{name}={json_text(value)}" for name, value in printed.items()]
    name = entry.names.get("actor")
    actor = f"{entry.actor} ({name})" if name else entry.actor
    return "  ".join([str(rfc3339(entry.at)), f"{entry.type:<24}", actor, " ".join(words)])


def _stream(admin: OpenInstallation, count: int, *, follow: bool) -> Iterator[StoredEntry]:
    entries = admin.entries.newest(max(count, _OVERLAP_ENTRIES))
    yield from entries[-count:]
    printed_ids = [entry.id for entry in entries]
    with _interrupt_event() as stopped:
        while follow and not stopped.wait(_POLL_SECONDS):
            after = printed_ids[0] if printed_ids else ""
            newest = admin.entries.newest(_MAX_ENTRIES, after)
            new = [entry for entry in newest if entry.id not in printed_ids]
            yield from new
            printed_ids = sorted([*printed_ids, *(entry.id for entry in new)])[-_OVERLAP_ENTRIES:]
    if follow:
        raise KeyboardInterrupt


@contextmanager
def _interrupt_event() -> Iterator[threading.Event]:
    """The first Ctrl-C sets an event; the second one raises KeyboardInterrupt.

    An exception that is raised at an arbitrary point could be lost. In a callback of the database
    library it is only printed.
    """
    stopped = threading.Event()

    def stop(number: int, frame: object) -> None:
        del number, frame
        signal.signal(signal.SIGINT, before)
        stopped.set()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
