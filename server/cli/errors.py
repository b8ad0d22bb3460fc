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


class ErrorKind(NamedTuple):
    """An exit code, and its stable error code in the error object."""

    exit: Exit
    code: str


ERROR_KINDS: Final = {
    click.UsageError: ErrorKind(Exit.USAGE, "usage"),
    click.FileError: ErrorKind(Exit.USAGE, "usage"),
    click.Abort: ErrorKind(Exit.INTERRUPTED, "interrupted"),
    KeyboardInterrupt: ErrorKind(Exit.INTERRUPTED, "interrupted"),
    refusals.NotFound: ErrorKind(Exit.NOT_FOUND, "not_found"),
    refusals.Exists: ErrorKind(Exit.CONFLICT, "exists"),
    refusals.Conflict: ErrorKind(Exit.CONFLICT, "conflict"),
    refusals.Invalid: ErrorKind(Exit.USAGE, "invalid"),
    Taken: ErrorKind(Exit.CONFLICT, "exists"),
    Busy: ErrorKind(Exit.UNREACHABLE, "unreachable"),
    BadSetting: ErrorKind(Exit.USAGE, "bad_setting"),
    UnicodeError: ErrorKind(Exit.USAGE, "not_text"),
    FileExistsError: ErrorKind(Exit.CONFLICT, "exists"),
    PermissionError: ErrorKind(Exit.NOT_ALLOWED, "not_allowed"),
    OSError: ErrorKind(Exit.ERROR, "system"),
    click.ClickException: ErrorKind(Exit.ERROR, "error"),
}
"""The first matching row applies, so special cases come before general ones."""

_BY_NAME: Final = {
    "server.storage.open.SchemaMismatch": ErrorKind(Exit.ERROR, "schema_mismatch"),
    "server.crypto.secrets.BadKeyFile": ErrorKind(Exit.ERROR, "bad_key_file"),
    "server.rollback_guard.OldDatabase": ErrorKind(Exit.ERROR, "old_database"),
    "server.backups.archives.BadArchive": ErrorKind(Exit.VERIFICATION, "bad_backup"),
    "server.audit_log.verify.Broken": ErrorKind(Exit.VERIFICATION, "broken_log"),
    "server.delivery.egress.Undeliverable": ErrorKind(Exit.ERROR, "not_sent"),
    "server.services.audit.log.BrokenLog": ErrorKind(Exit.VERIFICATION, "broken_log"),
    "server.audit_log.bundles.BadBundle": ErrorKind(Exit.USAGE, "bad_bundle"),
    "server.audit_log.notes.BadNote": ErrorKind(Exit.USAGE, "bad_checkpoint"),
    "server.storage.dumps.DumpFailed": ErrorKind(Exit.ERROR, "dump_failed"),
    "server.storage.dumps.InUse": ErrorKind(Exit.CONFLICT, "in_use"),
    "server.serving.main.CannotStart": ErrorKind(Exit.ERROR, "cannot_start"),
}
"""The errors of modules that are slow to import, by name, so that this module imports none."""

_INTERNAL: Final = ErrorKind(Exit.ERROR, "internal")


def error_kind(error: BaseException) -> ErrorKind:
    """The exit code and error code of this error."""
    for exception, kind in ERROR_KINDS.items():
        if isinstance(error, exception):
            return kind
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    return _BY_NAME.get(name, _INTERNAL)


def report(error: BaseException, *, as_json: bool) -> int:
    """Print the error to stderr, as text or JSON. Returns the exit code."""
    kind = error_kind(error)
    message = safe(sentence(error))
    if as_json:
        document = {"code": kind.code, "message": message, "exit": int(kind.exit)}
        click.echo(json.dumps(document), file=sys.stderr)
    elif kind is _INTERNAL:
        click.echo("".join(traceback.format_exception(error)), file=sys.stderr)
    else:
        click.echo(f"Error: {message}", file=sys.stderr)
    return int(kind.exit)


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
