"""`sayso db`: the database itself."""

from pathlib import Path

import click

from server import key_files
from server.app import SystemClock
from server.cli.flags import settings_of, sqlite_file
from server.cli.output import answer, json_option
from server.services.refusals import Invalid, NotFound
from server.settings import Settings
from server.storage.open import SCHEMA, backup_sqlite, upgrade_database


@click.group("db")
def command() -> None:
    """The database: bring it to this program's schema, back it up."""


@command.command("upgrade")
@json_option
@click.pass_context
def upgrade(context: click.Context, *, as_json: bool) -> None:
    """Bring the database to this program's schema. On SQLite every command does so by itself."""
    settings = settings_of(context)
    found = upgrade_database(settings.sqlalchemy_url, SystemClock().now())
    line = f"The schema is {SCHEMA}; it was {found or 'not there'}."
    members = {"schema": SCHEMA, "was": found or None, "changed": found != SCHEMA}
    answer(members, [line], as_json=as_json)


@command.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
@click.pass_context
def backup(context: click.Context, file: Path, *, as_json: bool) -> None:
    """Copy the database to a new file, while the server runs. Nothing is overwritten."""
    settings = settings_of(context)
    source = _file_of(settings)
    backup_sqlite(source, file)
    keys = [str(file.path) for file in key_files.required(settings)]
    lines = [
        f"{source} is copied to {file}.",
        "Without these files it signs nothing. Keep copies of them in another place:",
        *(f"  {key}" for key in keys),
    ]
    members = {"file": str(file), "bytes": file.stat().st_size, "keys_apart": keys}
    answer(members, lines, as_json=as_json)


def _file_of(settings: Settings) -> Path:
    if not settings.on_sqlite:
        raise Invalid("PostgreSQL brings its own tool. Run: pg_dump --format=custom --file=FILE")
    source = sqlite_file(settings)
    if not source.exists():
        raise NotFound(f"There is no database at {source}. Is --data-dir right?")
    return source
