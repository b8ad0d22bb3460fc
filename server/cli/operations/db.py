"""`sayso db`: upgrades, backs up and restores the database."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from server.app import SystemClock
from server.backups import making, restoring
from server.backups.restoring import Prepared, Restored
from server.cli.confirmation import confirm
from server.cli.flags import settings_of
from server.cli.opening import refuse_missing
from server.cli.output import answer, json_option, moment, safe
from server.cli.termination import clean_up_on_signals
from server.protocol.times import rfc3339
from server.services.operations.restores import KINDS, ONLY_IF_CHANGED
from server.storage.open import SCHEMA, upgrade_database

_KEEPABLE_KINDS = tuple(kind for kind in KINDS if kind not in ONLY_IF_CHANGED)
_EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEXT_STEP = "To list what is disabled, run: sayso doctor"


@click.group("db")
def command() -> None:
    """Upgrade, back up and restore the database."""
    clean_up_on_signals()


@command.command("upgrade")
@json_option
@click.pass_context
def upgrade(context: click.Context, *, as_json: bool) -> None:
    """Upgrade the database to this program's schema. On SQLite, every command does this."""
    settings = settings_of(context)
    refuse_missing(settings)
    old_schema = upgrade_database(settings.sqlalchemy_url, SystemClock().now())
    line = f"The schema is now {SCHEMA} (before: {old_schema or 'missing'})."
    members = {"schema": SCHEMA, "was": old_schema or None, "changed": old_schema != SCHEMA}
    answer(members, [line], as_json=as_json)


@command.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--with-keys", is_flag=True, help="Include the key files in the backup.")
@json_option
@click.pass_context
def backup(context: click.Context, file: Path, *, with_keys: bool, as_json: bool) -> None:
    """Write a backup to a new file, while the server runs. Nothing is overwritten.

    Without its key files a backup cannot be restored. They are left out unless you use
    --with-keys. Store them separately from the backup: anyone with both can read every secret.
    """
    settings = settings_of(context)
    refuse_missing(settings)
    result = making.make(settings, file, SystemClock().now(), with_keys=with_keys)
    missing_keys = [] if with_keys else [str(key.path) for key in result.keys]
    lines = [f"The backup is {file}.", *_key_lines(missing_keys)]
    members = {
        "file": str(file),
        "bytes": file.stat().st_size,
        "made_at": rfc3339(result.manifest.made_at),
        "database": result.manifest.kind,
        "with_keys": with_keys,
        "keys_apart": missing_keys,
    }
    answer(members, lines, as_json=as_json)


def _key_lines(missing_keys: Sequence[str]) -> list[str]:
    if not missing_keys:
        return ["It contains the key files: anyone who can read it can act as this installation."]
    warning = "It cannot be restored without these files. Store copies of them somewhere else:"
    return [warning, *(f"  {key}" for key in missing_keys)]


def _keep_flags(function: Callable[..., None]) -> Callable[..., None]:
    """Add the flags that keep what a restore would disable."""
    decorated = function
    for kind in reversed(_KEEPABLE_KINDS):
        text = f"Keep all {kind} as they are in the backup."
        decorated = click.option(f"--keep-{kind}", is_flag=True, help=text)(decorated)
    return decorated


@command.command("restore")
@click.argument("file", type=_EXISTING_FILE, required=False)
@click.option("--in-place", is_flag=True, help="Secure a database restored with other tools.")
@click.option("--force", is_flag=True, help="Replace an existing installation.")
@click.option(
    "--since",
    type=_EXISTING_FILE,
    help="A later SQLite database of this installation, to see what changed since the backup.",
)
@_keep_flags
@json_option
@click.pass_context
def restore(
    context: click.Context,
    /,
    file: Path | None,
    since: Path | None,
    *,
    in_place: bool,
    force: bool,
    as_json: bool,
    **flags: bool,
) -> None:
    """Restore a backup. Stop the server first.

    Open requests, tokens, sessions and codes end, so that none can be used a second time. If the
    replaced database can still be read, what changed since the backup is disabled. Otherwise,
    everything is disabled unless you keep it.
    """
    if (file is None) != in_place:
        raise click.UsageError("Specify the backup file, or use --in-place.")
    settings, now = settings_of(context), SystemClock().now()
    asks = not as_json and sys.stdin.isatty()
    steps = (
        restoring.in_place(settings, now)
        if file is None
        else restoring.from_archive(settings, file, since, now)
    )
    with steps as prepared:
        if prepared.replaces and not (force or in_place):
            confirm(
                f"Replace this installation with the backup of {moment(prepared.made_at)}?",
                "An installation already exists here. To replace it, add --force.",
                asks=asks,
            )
        asks = asks and prepared.later is None
        kept = (k for k in _KEEPABLE_KINDS if flags[f"keep_{k}"] or (asks and _keeps(prepared, k)))
        restored = restoring.finish(prepared, set(kept))
    answer(_document(prepared, restored), _lines(prepared, restored), as_json=as_json)


def _keeps(prepared: Prepared, kind: str) -> bool:
    """List the items of a kind and ask whether to keep them."""
    labels = prepared.in_force[kind]
    if not labels:
        return False
    click.echo(f"\n{kind.capitalize()} as of {moment(prepared.made_at)}: {len(labels)}")
    for label in labels:
        click.echo(f"  {safe(label)}")
    click.echo("If you keep them, any that were revoked since then come back.")
    return click.confirm(f"Keep all {kind}? If not, {KINDS[kind]}", default=False)


def _lines(prepared: Prepared, restored: Restored) -> list[str]:
    lines = [f"The backup of {moment(prepared.made_at)} is restored."]
    lines += [
        f"  {name.replace('_', ' ')} ended: {count}"
        for name, count in _ended_counts(restored)
        if count
    ]
    lines += [
        f"  {KINDS[kind]}: {restored.counts[kind]}" for kind in KINDS if restored.counts[kind]
    ]
    if restored.replaced is not None:
        lines.append(f"The replaced database is kept as {restored.replaced}.")
    if restored.reverted_parts:
        lines.append(
            f"Changed since the backup, now as in the backup: {', '.join(restored.reverted_parts)}."
        )
    lines += restored.key_problems
    if not restored.was_compared:
        lines.append("Check roles, groups, policy and resources: they are as in the backup.")
    return [*lines, _NEXT_STEP]


def _ended_counts(restored: Restored) -> list[tuple[str, int]]:
    return [(name, count) for name, count in restored.counts.items() if name not in KINDS]


def _document(prepared: Prepared, restored: Restored) -> dict[str, object]:
    return {
        "backup_made_at": rfc3339(prepared.made_at),
        "compared": restored.was_compared,
        "ended": dict(_ended_counts(restored)),
        "held": {kind: restored.counts[kind] for kind in KINDS},
        "configuration_changed": list(restored.reverted_parts),
        "replaced": None if restored.replaced is None else str(restored.replaced),
        "key_problems": list(restored.key_problems),
    }
