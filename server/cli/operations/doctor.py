"""`sayso doctor`: problems with this installation and their fixes.

Owns: the checks of this machine: files, addresses, whether the database opens. The checks of the
database's contents are in `server.services.operations.doctor`.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from server import key_files
from server.app import key_problems
from server.cli.errors import sentence
from server.cli.flags import settings_of, sqlite_file
from server.cli.opening import OpenInstallation, open_installation
from server.cli.output import answer, json_option
from server.cli.remedies import command_for
from server.crypto.secrets import BadKeyFile
from server.model.store import Busy
from server.rollback_guard import OldDatabase
from server.services.audit.log import BrokenLog
from server.services.operations.doctor import Finding, Level
from server.serving.descriptors import MIN_FEEDS, capacity, highest_limit
from server.settings import NOBODY, Settings, is_loopback
from server.storage.open import SchemaMismatch

_OTHERS_MODE: Final = 0o077
_MARKS: Final = {"broken": "BROKEN", "weak": "weak", "note": "note"}
_FIX_FIRST: Final = "Fix this first; nothing else can be checked."
_ORDER: Final = tuple(_MARKS)


class _RollBack(Exception):  # it is not an error
    """Ends a unit of work without a change."""


@click.command("doctor")
@json_option
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """Check the installation without changing it. Exits with 1 if something is broken."""
    settings = settings_of(context)
    findings = [
        *_check_files(settings),
        *_check_addresses(settings),
        *_check_database(settings),
        *_limitations(settings),
    ]
    findings += [*_check_open_files(settings), *_retention_note(settings)]
    findings.sort(key=lambda finding: _ORDER.index(finding.level))
    lines = [line for finding in findings for line in _lines(finding)]
    items = [{"level": f.level, "what": f.what, "fix": _fix(f)} for f in findings]
    broken = any(finding.level == "broken" for finding in findings)
    if not broken:
        lines.append("Nothing is broken.")
    answer({"items": items, "broken": broken}, lines, as_json=as_json)
    if broken:
        context.exit(1)


def _lines(finding: Finding) -> list[str]:
    return [f"{_MARKS[finding.level]:<7} {finding.what}", f"        {_fix(finding)}"]


def _fix(finding: Finding) -> str:
    return f"{finding.fix} {command_for(finding.remedy)}".rstrip()


def _check_files(settings: Settings) -> Iterator[Finding]:
    """The problems of files that other users can read."""
    keys = [file.path for file in key_files.every(settings) if file.path.is_file()]
    folder = settings.data_dir
    for path in (*keys, folder, *sorted(folder.glob("*.db*"))):
        if _others_can_read(path):
            level: Level = "broken" if path in keys else "weak"
            mode = "700" if path == folder else "600"
            yield Finding(level, f"Other users can read {path}.", f"Run: chmod {mode} {path}")


def _others_can_read(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & _OTHERS_MODE)


def _check_addresses(settings: Settings) -> Iterator[Finding]:
    issuer = settings.issuer_url
    if issuer.startswith("http:") and not is_loopback(issuer):
        yield Finding(
            "weak",
            f"The issuer {issuer} is not https: codes, tokens and answers can be intercepted.",
            "Use a proxy with a certificate, and set SAYSO_ISSUER to its https URL.",
        )
    if issuer.startswith("https:") and settings.push_subject == NOBODY:
        yield Finding(
            "weak",
            f"The contact for push services is {NOBODY}, which Apple refuses.",
            "Set SAYSO_PUSH_CONTACT to mailto: with an address that someone reads.",
        )


def _retention_note(settings: Settings) -> Iterator[Finding]:
    days = settings.audit_retention_days
    period = "forever" if days is None else f"for {days} days"
    yield Finding("note", f"Audit entries are kept {period}.", "SAYSO_AUDIT_RETENTION sets this.")


def _check_open_files(settings: Settings) -> Iterator[Finding]:
    limits = capacity(highest_limit(), settings.max_connections)
    if limits.feeds < MIN_FEEDS:
        yield Finding(
            "weak",
            f"The limit of {limits.files} open files allows {limits.feeds} live feeds of "
            "approvers per process. More are refused.",
            "Raise it for the server: LimitNOFILE=65536 in its unit, or ulimit -n.",
        )


def _check_database(settings: Settings) -> Iterator[Finding]:
    """The problems that the database shows, or why it does not open."""
    if settings.on_sqlite and not sqlite_file(settings).exists():
        yield Finding("note", "There is no database yet.", "Run: sayso init --admin NAME")
        return
    try:
        if problems := key_problems(settings):
            others = [what for path, what in problems.items() if not _others_can_read(path)]
            yield from (Finding("broken", what, _FIX_FIRST) for what in others)
            return
        with open_installation(settings) as services:
            yield from _check_log(services)
            yield from _check_writable(services)
            yield from services.doctor.findings()
    except (BadKeyFile, SchemaMismatch, OldDatabase, Busy, OSError) as error:
        yield Finding("broken", sentence(error), _FIX_FIRST)


def _check_log(services: OpenInstallation) -> Iterator[Finding]:
    try:
        services.services.audit_log.check()
    except BrokenLog as error:
        yield Finding("broken", str(error), "", error.remedy)


def _check_writable(services: OpenInstallation) -> Iterator[Finding]:
    """Change the version, and roll back the change."""
    try:
        with suppress(_RollBack), services.services.store.administer():
            raise _RollBack
    except Busy as error:
        what = f"Nothing can be changed. {error}"
        yield Finding("broken", what, "Check the permissions of the database and its disk.")


def _limitations(settings: Settings) -> Iterator[Finding]:
    """The limitations that no setting can fix."""
    if settings.data_dir.exists() and os.access(settings.data_dir, os.R_OK | os.X_OK):
        yield Finding(
            "weak",
            "You can read the data folder, so every program that runs as you, including an agent, "
            "can act as the administrator.",
            "Run the server as its own user: sayso serve --systemd-unit",
        )
    yield Finding(
        "note",
        "A program that runs as an approver can read the PIN while they enter it, and a script "
        "that uses --pin-stdin knows it.",
        "Approve requests on a different machine than the agents, or as a different user.",
    )
