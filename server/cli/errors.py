"""Exit codes and error output: one table, from exception to exit code.

Owns: exit codes and the error object on stderr. Never: writing to stdout.
"""

import json
import sys
import traceback
from enum import IntEnum
from typing import Final, NamedTuple

import click

from server.cli.output import safe
from server.cli.remedies import command_for
from server.model.store import Busy, Taken
from server.services import refusals
from server.settings import BadSetting


class Exit(IntEnum):
    """The exit codes of `sayso`."""

    DONE = 0
    """Success."""
    ERROR = 1
    """An error."""
    USAGE = 2
    """The command line or its input is invalid."""
    NOT_FOUND = 3
    """The object does not exist."""
    NOT_ALLOWED = 5
    """This user may not read or write a file."""
    CONFLICT = 6
    """It already exists, or the current state does not allow it."""
    UNREACHABLE = 7
    """The database cannot be reached."""
    VERIFICATION = 20
    """A backup or the audit log is damaged, was changed, or does not match."""
    INTERRUPTED = 130
    """Interrupted."""
    CLOSED_PIPE = 141
    """The program that reads the output has ended, as after SIGPIPE."""


class Meaning(NamedTuple):
    """An exit code, and its stable error code in the error object."""

    exit: Exit
    code: str


MEANINGS: Final = {
    click.UsageError: Meaning(Exit.USAGE, "usage"),
    click.FileError: Meaning(Exit.USAGE, "usage"),
    click.Abort: Meaning(Exit.INTERRUPTED, "interrupted"),
    KeyboardInterrupt: Meaning(Exit.INTERRUPTED, "interrupted"),
    refusals.NotFound: Meaning(Exit.NOT_FOUND, "not_found"),
    refusals.Exists: Meaning(Exit.CONFLICT, "exists"),
    refusals.Conflict: Meaning(Exit.CONFLICT, "conflict"),
    refusals.Invalid: Meaning(Exit.USAGE, "invalid"),
    Taken: Meaning(Exit.CONFLICT, "exists"),
    Busy: Meaning(Exit.UNREACHABLE, "unreachable"),
    BadSetting: Meaning(Exit.USAGE, "bad_setting"),
    UnicodeError: Meaning(Exit.USAGE, "not_text"),
    FileExistsError: Meaning(Exit.CONFLICT, "exists"),
    PermissionError: Meaning(Exit.NOT_ALLOWED, "not_allowed"),
    OSError: Meaning(Exit.ERROR, "system"),
    click.ClickException: Meaning(Exit.ERROR, "error"),
}
"""The first matching row applies, so special cases come before general ones."""

_BY_NAME: Final = {
    "server.storage.open.SchemaMismatch": Meaning(Exit.ERROR, "schema_mismatch"),
    "server.crypto.secrets.BadKeyFile": Meaning(Exit.ERROR, "bad_key_file"),
    "server.last_seen.OldDatabase": Meaning(Exit.ERROR, "old_database"),
    "server.backups.archives.BadArchive": Meaning(Exit.VERIFICATION, "bad_backup"),
    "server.audit_log.verify.Broken": Meaning(Exit.VERIFICATION, "broken_log"),
    "server.delivery.egress.Undeliverable": Meaning(Exit.ERROR, "not_sent"),
    "server.services.audit.log.BrokenLog": Meaning(Exit.VERIFICATION, "broken_log"),
    "server.audit_log.bundles.BadBundle": Meaning(Exit.USAGE, "bad_bundle"),
    "server.audit_log.notes.BadNote": Meaning(Exit.USAGE, "bad_checkpoint"),
    "server.storage.dumps.DumpFailed": Meaning(Exit.ERROR, "dump_failed"),
    "server.storage.dumps.InUse": Meaning(Exit.CONFLICT, "in_use"),
    "server.serving.main.CannotStart": Meaning(Exit.ERROR, "cannot_start"),
}
"""The errors of modules that are slow to import, by name, so that this module imports none."""

_INTERNAL: Final = Meaning(Exit.ERROR, "internal")


def meaning(error: BaseException) -> Meaning:
    """The exit code and error code of this error."""
    for kind, row in MEANINGS.items():
        if isinstance(error, kind):
            return row
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    return _BY_NAME.get(name, _INTERNAL)


def report(error: BaseException, *, as_json: bool) -> int:
    """Print the error to stderr, as text or JSON. Returns the exit code."""
    error_meaning = meaning(error)
    message = safe(sentence(error))
    if as_json:
        document = {"code": error_meaning.code, "message": message, "exit": int(error_meaning.exit)}
        click.echo(json.dumps(document), file=sys.stderr)
    elif error_meaning is _INTERNAL:
        click.echo("".join(traceback.format_exception(error)), file=sys.stderr)
    else:
        click.echo(f"Error: {message}", file=sys.stderr)
    return int(error_meaning.exit)


def sentence(error: BaseException) -> str:
    """The error as text for a person."""
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return "Interrupted."
    if isinstance(error, click.UsageError) and error.ctx is not None:
        message = " ".join(error.format_message().split())  # click lists choices on lines
        end = "" if message.endswith(("?", ".")) else "."
        return f"{message}{end} See: {error.ctx.command_path} --help"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, FileExistsError):
        return f"{error.filename} already exists. Nothing was overwritten."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    help_text = command_for(error.remedy) if isinstance(error, refusals.ChangeRefused) else ""
    return f"{error} {help_text}".strip() or type(error).__name__
