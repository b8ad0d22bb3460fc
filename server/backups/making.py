"""Creates a backup while the server runs."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from server import folders, key_files
from server.backups import archives
from server.backups.archives import FORMAT, Manifest
from server.crypto.secrets import read_key
from server.model.store import Busy
from server.settings import PREFIX, Settings, process_environment
from server.storage import dumps

_PREFIX: Final = ".sayso-backup-"


@dataclass(frozen=True, slots=True)
class Backup:
    """A new backup, and the key files that a restore needs."""

    file: Path
    manifest: Manifest
    keys: tuple[key_files.KeyFile, ...]
    with_keys: bool


def make(settings: Settings, target: Path, now: int, *, with_keys: bool) -> Backup:
    """Write a backup to a new file.

    Raises `DumpFailed`, `BadKeyFile` for a key that does not belong to the database, or
    FileExistsError.
    """
    if target.exists():
        raise FileExistsError(17, "File exists", str(target))
    with (
        folders.errors_about(target, _PREFIX),
        folders.temporary(target.parent, _PREFIX, now) as folder,
    ):
        copy = folder / archives.DATABASE
        environment = process_environment(without=PREFIX)
        try:
            contents = dumps.dump(settings.sqlalchemy_url, copy, now, environment)
        except Busy as error:
            raise Busy(f"{target} was not written. {error}") from error
        files = _files(settings, contents)
        keys = {file.name: file.path.read_bytes() for file in files} if with_keys else {}
        manifest = Manifest(
            format=FORMAT,
            kind=dumps.kind(settings.sqlalchemy_url),
            schema=contents.schema,
            made_at=now,
            program=version("sayso"),
            created_at=contents.installation.created_at,
            admin_version=contents.installation.admin_version,
            newest_entry=contents.newest_entry,
            key_ids=contents.key_ids,
            in_force=dict(contents.in_force),
            hashes={},
        )
        master = read_key(key_files.required(settings)[0].path)
        manifest = archives.write(target, manifest, copy, keys, master)
    return Backup(target, manifest, files, with_keys)


def _files(settings: Settings, contents: dumps.Contents) -> tuple[key_files.KeyFile, ...]:
    """The key files of this database, after checking each of them."""
    needed = tuple(file for file in key_files.every(settings) if file.name in contents.key_ids)
    for file in needed:
        key_files.check(file, contents.key_ids)
    return needed
