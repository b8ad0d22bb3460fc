"""Restores a backup so that nothing in it can be used a second time.

1. Check the archive, its schema and its keys.  2. Lock other processes out of the database.
3. Read which items are active there, if possible.  4. Ask the operator what to keep.  5. Make the
copy safe and replace the database with it. Nothing is changed before step 5.
"""

import getpass
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server import folders, key_files, rollback_guard
from server.backups import archives
from server.backups.archives import BadArchive, Manifest
from server.crypto.secrets import EntryIdGenerator, read_key, write_key
from server.model.operations import InstallationRow
from server.services.operations.restores import Items, disabled_items
from server.settings import PREFIX, Settings, process_environment
from server.storage import dumps
from server.storage.open import SCHEMA, SchemaMismatch
from server.storage.operations import in_force, restores
from server.storage.operations.restores import RestoreInput, Terminal

_PREFIX: Final = ".sayso-restore-"
_NO_DATABASE: Final = "There is no database to restore in place."


@dataclass(frozen=True, slots=True)
class LaterState:
    """The active items and the configuration of the replaced database."""

    items: Items
    terminals: Mapping[str, Terminal]
    configuration: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked restore. Nothing is changed yet."""

    settings: Settings
    now: int
    in_force: Mapping[str, list[str]]
    """The labels of active items in the backup, by kind."""
    made_at: int
    """When the backup was created."""
    replaces: bool
    """Whether an installation already exists."""
    later: LaterState | None
    archive: archives.OpenArchive | None
    """The unpacked archive; None for a restore in place."""
    new_keys: Mapping[Path, bytes]
    key_ids: Mapping[str, str]
    """The IDs of the restored database's keys."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore."""

    counts: Mapping[str, int]
    was_compared: bool
    reverted_parts: tuple[str, ...]
    """Parts of the configuration that had changed since the backup and were reverted."""
    replaced: Path | None
    """The path of the replaced SQLite file."""
    key_problems: tuple[str, ...]
    """The problems with key files that a restore does not need, one sentence each."""


@contextmanager
def from_archive(
    settings: Settings, file: Path, since: Path | None, now: int
) -> Iterator[Prepared]:
    """Prepare a restore from an archive, with the database locked. Raises if that is impossible."""
    url = settings.sqlalchemy_url
    folders.make_private(settings.data_dir)
    with ExitStack() as stack:
        parent = dumps.sqlite_file(url).parent if settings.on_sqlite else settings.data_dir
        folders.make_private(parent)
        stack.enter_context(folders.errors_about(parent, _PREFIX))
        folder = stack.enter_context(folders.temporary(parent, _PREFIX, now))
        archive = archives.read(file, folder)
        new_keys = _check(settings, archive)
        stack.enter_context(dumps.exclusive(url))
        replaces, later = _read_existing(settings, archive.manifest, now)
        if since is not None:
            copy = dumps.copy_unused_sqlite(since, folder / "since")
            later = _read_later(dumps.sqlite_url(copy), archive.manifest, "", now)
            if later is None:
                raise BadArchive(f"{since} is not a later database of this installation.")
        manifest = archive.manifest
        yield Prepared(
            settings,
            now,
            manifest.in_force,
            manifest.made_at,
            replaces,
            later,
            archive,
            new_keys,
            manifest.key_ids,
        )


@contextmanager
def in_place(settings: Settings, now: int) -> Iterator[Prepared]:
    """Prepare a restore of the current database, which is locked. Raises if that is impossible."""
    url = settings.sqlalchemy_url
    if settings.on_sqlite and not dumps.sqlite_file(url).exists():
        raise BadArchive(_NO_DATABASE)
    with dumps.exclusive(url):
        with dumps.transaction(url) as connection:
            contents = dumps.contents(connection, now)
        if contents is None:
            raise BadArchive(_NO_DATABASE)
        for file in key_files.required(settings):
            key_files.check(file, contents.key_ids)
        moment = min(now, int(contents.newest_entry.partition("-")[0] or "0", 16))
        yield Prepared(
            settings,
            now,
            contents.in_force,
            moment,
            replaces=True,
            later=None,
            archive=None,
            new_keys={},
            key_ids=contents.key_ids,
        )


def finish(prepared: Prepared, keep: Collection[str]) -> Restored:
    """Carry out the restore. Without a later database, the kinds in `keep` stay unchanged."""
    settings, archive = prepared.settings, prepared.archive
    url = settings.sqlalchemy_url
    for path, key in prepared.new_keys.items():
        write_key(path, key)
    replaced = None
    if archive is None:
        counts, changed = _make_safe(url, prepared, keep)
    elif settings.on_sqlite:
        counts, changed = _make_safe(dumps.sqlite_url(archive.database), prepared, keep)
        replaced = dumps.replace_sqlite(archive.database, dumps.sqlite_file(url))
    else:
        with dumps.exclusive(url):  # another process may have connected since the first check
            dumps.restore_postgres(archive.database, url, process_environment(without=PREFIX))
        counts, changed = _make_safe(url, prepared, keep)
    rollback_guard.forget(settings)
    problems = key_files.problems_of(settings, prepared.key_ids)
    return Restored(counts, prepared.later is not None, changed, replaced, tuple(problems.values()))


def _make_safe(
    url: str, prepared: Prepared, keep: Collection[str]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Make the database usable, in one transaction."""
    later = prepared.later
    with dumps.transaction(url) as connection:
        dumps.lock_exclusively(connection)
        backup = in_force.items(connection, prepared.now)
        held_items = disabled_items(backup, None if later is None else later.items, keep)
        held_devices = {device.item.id for device in held_items["devices"]}
        kept_devices = [device for device in backup["devices"] if device not in held_devices]
        restored = in_force.configuration(connection)
        current = {} if later is None else later.configuration
        changed = tuple(name for name, digest in current.items() if restored[name] != digest)
        facts = {
            "backup_made_at": prepared.made_at,
            "by": getpass.getuser(),
            "compared": later is not None,
            "kept": sorted(keep),
        }
        terminals = (
            () if later is None else tuple(later.terminals[device] for device in kept_devices)
        )
        counts = restores.make_safe(
            connection,
            RestoreInput(held_items, _installation_row(prepared), facts, terminals),
            prepared.now,
            EntryIdGenerator().new,
        )
    return counts, changed


def _installation_row(prepared: Prepared) -> InstallationRow:
    """The installation's row from the archive; a restore in place keeps the database's own row."""
    if prepared.archive is None:
        return InstallationRow(0, prepared.now, "", None)
    manifest = prepared.archive.manifest
    return InstallationRow(manifest.admin_version, manifest.created_at, "", None)


def _check(settings: Settings, archive: archives.OpenArchive) -> dict[Path, bytes]:
    """Check kind, schema and keys. Returns the key files to create. Raises `BadArchive`."""
    manifest, kind = archive.manifest, dumps.kind(settings.sqlalchemy_url)
    if manifest.kind != kind:
        raise BadArchive(
            f"This is a backup of {manifest.kind}, and the database here is {kind}. "
            "SAYSO_DATABASE_URL names the database."
        )
    if manifest.schema != SCHEMA:
        raise BadArchive(
            f"This backup has schema {manifest.schema}, and this program supports {SCHEMA}. "
            f"Restore it with the program that created it ({manifest.program}), then upgrade."
        )
    new = {
        file.path: archive.keys[file.name]
        for file in key_files.every(settings)
        if file.name in archive.keys and not file.path.exists()
    }
    for file in key_files.required(settings):
        if file.path not in new and file.name in manifest.key_ids:
            key_files.check(file, manifest.key_ids)
    master = key_files.required(settings)[0].path
    archive.check_mac(new[master] if master in new else read_key(master))
    if manifest.kind == "sqlite":
        dumps.check_sqlite(archive.database, "The database in the backup")
    return new


def _read_existing(
    settings: Settings, manifest: Manifest, now: int
) -> tuple[bool, LaterState | None]:
    """Return whether a database exists, and its state if that can be read."""
    url = settings.sqlalchemy_url
    if settings.on_sqlite and not dumps.sqlite_file(url).exists():
        return False, None
    replaces = settings.on_sqlite or dumps.has_tables(url)
    return replaces, _read_later(url, manifest, rollback_guard.read(settings), now)


def _have_same_keys(later: Mapping[str, str], backup: Mapping[str, str]) -> bool:
    """Return whether two databases belong to one installation. Its other keys can be replaced."""
    return all(later.get(name) == backup.get(name) for name in (key_files.MASTER, key_files.PIN))


def _read_later(url: str, manifest: Manifest, seen: str, now: int) -> LaterState | None:
    """The state of a later database of the same installation.

    None if it cannot be read, belongs to a different installation, or is older than the backup.
    """
    try:
        with dumps.transaction(url) as connection:
            contents = dumps.contents(connection, now)
            if contents is None or not _have_same_keys(contents.key_ids, manifest.key_ids):
                return None
            if not dumps.has_entries(connection, {manifest.newest_entry, seen} - {""}):
                return None
            items = in_force.items(connection, now)
            terminals = restores.terminals(connection)
            return LaterState(items, terminals, in_force.configuration(connection))
    except (*dumps.UNREADABLE, SchemaMismatch):
        return None
