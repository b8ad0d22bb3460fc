"""`sayso audit`: the commands that export the log and let anyone verify it."""

import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

import click

from server.audit_log.bundles import Line, LoggedEntry
from server.cli.flags import settings_of
from server.cli.opening import OpenInstallation, Printed, open_installation, prints
from server.cli.output import answer, json_option
from server.folders import write_new
from server.key_files import replace_log
from server.lazy_imports import lazily
from server.protocol.text import pluralize
from server.protocol.times import rfc3339
from server.services.audit.log import AuditLog

with lazily():
    from server.audit_log import bundles, differences
    from server.audit_log import verify as verifier
    from server.audit_log.differences import Difference
    from server.delivery import audit_formats

FORMAT: Final = click.Choice(("json", "ocsf"))
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("key")
@prints
def key(admin: OpenInstallation) -> Printed:
    """Print the public key that verifies the log. Give it to your auditors."""
    text = admin.services.audit_log.key.text
    return {"log_key": text}, [text]


@click.command("checkpoint")
@prints
def checkpoint(admin: OpenInstallation) -> Printed:
    """Print the newest signed checkpoint. Keep it to prove later that nothing changed."""
    text = admin.services.audit_log.newest()
    return {"checkpoint": text}, text.splitlines()


@click.command("export")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "as_format",
    type=FORMAT,
    help="Write JSON Lines in this format. The file has no checkpoints, so it can't be verified.",
)
@prints
def export(admin: OpenInstallation, file: Path, as_format: str | None) -> Printed:
    """Write the whole log to a new bundle file that `sayso audit verify` can read."""
    log = sign_and_get_log(admin)
    lines = bundles.write(log.origin, log.lines()) if as_format is None else _format(log, as_format)
    count = write_new(file, lines)
    return {"file": str(file), "lines": count}, [f"Wrote the whole log to {file}."]


def _format(log: AuditLog, as_format: str) -> Iterator[str]:
    return (
        audit_formats.FORMATS[as_format](line)
        for line in log.lines()
        if isinstance(line, LoggedEntry) and line.body
    )


@click.command("prove")
@click.argument("entry_id", metavar="ID")
@prints
def prove(admin: OpenInstallation, entry_id: str) -> Printed:
    """Print a proof, for `sayso audit verify`, that an entry is in the log."""
    log = sign_and_get_log(admin)
    proof = log.prove(entry_id)
    return {"seq": proof.seq, "proof": proof.text}, proof.text.splitlines()


@click.command("rotate-key")
@prints
def rotate_key(admin: OpenInstallation) -> Printed:
    """Replace the log's private key, even if it is lost. Give auditors the new public key."""
    log, services = admin.services.audit_log, admin.services
    replace_log(services.settings, services.store, partial(log.record_key, by=admin.by))
    sign_and_get_log(admin)
    return {"log_key": log.key.text}, [log.key.text]


def sign_and_get_log(admin: OpenInstallation) -> AuditLog:
    """The log, after signing a checkpoint that covers every stored entry."""
    admin.services.store.sequence()
    admin.services.audit_log.sign()
    return admin.services.audit_log


@click.command("verify")
@click.argument("file", metavar="FILE", type=_FILE)
@click.option(
    "--log-key",
    "log_keys",
    metavar="KEY",
    required=True,
    multiple=True,
    help="The output of `sayso audit key`. Repeat for each key that the log has had.",
)
@click.option("--since", type=_FILE, help="A file with a checkpoint that you kept.")
@json_option
def verify(file: Path, log_keys: tuple[str, ...], since: Path | None, *, as_json: bool) -> None:
    """Verify a bundle, a proof or a receipt. Needs neither the server nor its database.

    Exits with 20 if the log was changed, contradicts itself, or proves nothing.
    """
    verdict = verifier.verify_file(file, log_keys, since, sys.stderr)
    answer({"verdict": "verified", "text": verdict}, [verdict], as_json=as_json)


@click.command("diff")
@click.argument("first", metavar="FILE", type=_FILE)
@click.argument("second", metavar="[FILE]", type=_FILE, required=False)
@json_option
def diff(first: Path, second: Path | None, *, as_json: bool) -> None:
    """Compare a bundle with a later one, or with the log of this installation.

    Prints the entries that only one of them has. Exits with 20 if neither is a prefix of the other,
    or if the log of this installation has lost entries. `sayso audit verify` checks the
    signatures.
    """
    with first.open(encoding="utf-8", errors="replace") as lines:
        difference = _compare(bundles.read(lines), second)
    changes = [
        *(("-", entry) for entry in difference.only_first),
        *(("+", entry) for entry in difference.only_second),
    ]
    document = {
        "common": difference.common,
        "erased": difference.erased,
        "only_first": [{"seq": entry.seq, **entry.members} for entry in difference.only_first],
        "only_second": [{"seq": entry.seq, **entry.members} for entry in difference.only_second],
    }
    erased = f" {pluralize(difference.erased, 'text')} erased." if difference.erased else ""
    common = pluralize(difference.common, "entry", "entries")
    head = f"{common} in both, {len(changes)} in only one of them.{erased}"
    answer(document, [head, *(_difference_line(*change) for change in changes)], as_json=as_json)


def _compare(first: Iterator[Line], second: Path | None) -> Difference:
    if second is not None:
        with second.open(encoding="utf-8", errors="replace") as lines:
            return differences.compare(first, bundles.read(lines))
    settings = settings_of(click.get_current_context())
    with open_installation(settings) as admin, closing(sign_and_get_log(admin).lines()) as lines:
        difference = differences.compare(first, lines)
    if difference.only_first:
        raise verifier.Broken(
            f"Entry {difference.common} is missing from the log of this installation."
        )
    return difference


def _difference_line(sign: str, entry: LoggedEntry) -> str:
    members = entry.members
    columns = [rfc3339(members["at"]) or "", members["type"], members["actor"]] if members else []
    return "  ".join([f"{sign} {entry.seq}", *(columns or ["(no contents)"])])
