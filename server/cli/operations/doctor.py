"""`sayso doctor`: what is weak or broken here, and the fix.

Owns: what the machine shows: files, addresses, whether the database opens. What the records show is
`server.services.operations.doctor`'s.
"""

import os
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

import click

from server import key_files
from server.app import key_problems
from server.cli.errors import sentence
from server.cli.flags import settings_of, sqlite_file
from server.cli.opening import opened
from server.cli.output import answer, json_option
from server.crypto.sealing import BadKeyFile
from server.last_seen import OldDatabase
from server.model.store import Busy
from server.services.operations.doctor import Finding
from server.serving.descriptors import FEW, capacity, highest_limit
from server.settings import NOBODY, Settings, is_loopback
from server.storage.open import SchemaMismatch

_BY_OTHERS: Final = 0o077
_MARKS: Final = MappingProxyType({"broken": "BROKEN", "weak": "weak", "note": "note"})
_NOTHING_ELSE: Final = "Nothing else can be checked until this is fixed."
_ORDER: Final = tuple(_MARKS)


@click.command("doctor")
@json_option
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """Look at everything and change nothing. Exit 1 when something is broken."""
    settings = settings_of(context)
    found = [*_files(settings), *_addresses(settings), *_records(settings), *_limits(settings)]
    found += _open_files(settings)
    found.sort(key=lambda finding: _ORDER.index(finding.level))
    lines = [line for finding in found for line in _lines(finding)]
    items = [{"level": f.level, "what": f.what, "fix": f.fix} for f in found]
    broken = any(finding.level == "broken" for finding in found)
    if not broken:
        lines.append("Nothing is broken.")
    answer({"items": items, "broken": broken}, lines, as_json=as_json)
    if broken:
        context.exit(1)


def _lines(finding: Finding) -> list[str]:
    return [f"{_MARKS[finding.level]:<7} {finding.what}", f"        {finding.fix}"]


def _files(settings: Settings) -> Iterator[Finding]:
    """Who may read what makes one the administrator."""
    folder = settings.data_dir
    if not folder.exists():
        return
    if folder.stat().st_mode & _BY_OTHERS:
        yield Finding("weak", f"Others may look into {folder}.", f"Run: chmod 700 {folder}")
    for file in (*key_files.required(settings), key_files.webhook(settings)):
        path = file.path
        if path.exists() and path.stat().st_mode & _BY_OTHERS:
            yield Finding("broken", f"Others may read {path}.", f"Run: chmod 600 {path}")
    for path in sorted(folder.glob("*.db*")):
        if path.stat().st_mode & _BY_OTHERS:
            yield Finding("weak", f"Others may read {path}.", f"Run: chmod 600 {path}")


def _addresses(settings: Settings) -> Iterator[Finding]:
    issuer = settings.issuer_url
    if issuer.startswith("http:") and not is_loopback(issuer):
        yield Finding(
            "weak",
            f"The issuer {issuer} is not https: codes, tokens and answers can be read on the way.",
            "Put a proxy with a certificate in front and set SAYSO_ISSUER to its https URL.",
        )
    if issuer.startswith("https:") and settings.push_subject == NOBODY:
        yield Finding(
            "weak",
            f"Push services are told to ask {NOBODY} about our messages; Apple's refuses those.",
            "Set SAYSO_PUSH_CONTACT to mailto: and an address that somebody reads.",
        )


def _open_files(settings: Settings) -> Iterator[Finding]:
    found = capacity(highest_limit(), settings.max_connections)
    if found.feeds < FEW:
        yield Finding(
            "weak",
            f"The limit of {found.files} open files is enough for {found.feeds} live feeds of "
            "approvers in each process; further ones are refused.",
            "Raise it for the server: LimitNOFILE=65536 in its unit, or ulimit -n.",
        )


def _records(settings: Settings) -> Iterator[Finding]:
    """What the database says, or why it does not open."""
    if settings.on_sqlite and not sqlite_file(settings).exists():
        yield Finding("note", "There is no database yet.", "Run: sayso init --admin NAME")
        return
    try:
        if wrong := key_problems(settings):
            yield from (Finding("broken", problem, _NOTHING_ELSE) for problem in wrong)
            return
        with opened(settings) as desk:
            yield from desk.doctor.findings()
    except (BadKeyFile, SchemaMismatch, OldDatabase, Busy, OSError) as error:
        yield Finding("broken", sentence(error), _NOTHING_ELSE)


def _limits(settings: Settings) -> Iterator[Finding]:
    """What no setting can mend, said honestly."""
    if settings.data_dir.exists() and os.access(settings.data_dir, os.R_OK | os.X_OK):
        yield Finding(
            "weak",
            "You can read the data folder, so every program that runs as you, an agent too, can "
            "act as the administrator.",
            "Run the server as a user of its own: sayso serve --systemd-unit",
        )
    yield Finding(
        "note",
        "A program that runs as an approver can read along when they enter their PIN, and a "
        "script that uses --pin-stdin gives it away.",
        "Decide on another machine, or as another user, than the agents run on.",
    )
