"""Backup archives: a tar file with a manifest, the database and, optionally, the keys.

The manifest has a hash of every other member and is authenticated with the master key, so that a
damaged or changed archive is refused before it is used.
"""

import hashlib
import hmac
import io
import json
import os
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, Final

from server.crypto.secrets import derive

FORMAT: Final = 1
DATABASE: Final = "database"
_MANIFEST: Final = "manifest.json"
_MAC: Final = "manifest.mac"
_KEYS: Final = "keys/"
_DRAFT: Final = "draft"
_PURPOSE: Final = "backup manifest"
_MAX_MEMBER_BYTES: Final = 64 * 1024


class BadArchive(Exception):
    """The file cannot be restored; the message says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of an archive's contents."""

    format: int
    kind: str
    """The database: `sqlite` or `postgresql`."""
    schema: str
    made_at: int
    program: str
    created_at: int
    """When the installation was created."""
    admin_version: int
    newest_entry: str
    key_ids: Mapping[str, str]
    in_force: Mapping[str, list[str]]
    """The labels of active items by kind; a restore asks about them."""
    hashes: Mapping[str, str]
    """Name → SHA-256 of every other member."""


@dataclass(frozen=True, slots=True)
class OpenArchive:
    """An unpacked archive whose members match the hashes in its manifest."""

    manifest: Manifest
    database: Path
    keys: Mapping[str, bytes]
    raw: bytes
    mac: bytes

    def check_mac(self, master: bytes) -> None:
        """Raise `BadArchive` unless the manifest was written with this master key."""
        if not hmac.compare_digest(_mac(master, self.raw), self.mac):
            raise BadArchive("The manifest of this backup was changed after it was written.")


def write(
    target: Path, manifest: Manifest, database: Path, keys: Mapping[str, bytes], master: bytes
) -> Manifest:
    """Write a new archive with mode 0600. Raises FileExistsError.

    The archive gets its name only when it is complete and on the disk, so a process that is killed
    leaves no partial archive.
    """
    complete = replace(manifest, hashes=_hashes(database, keys))
    raw = json.dumps(asdict(complete), indent=1, sort_keys=True).encode()
    draft = database.with_name(_DRAFT)
    draft.touch(mode=0o600)
    with draft.open("wb") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            members = {_MANIFEST: raw, _MAC: _mac(master, raw)}
            members |= {f"{_KEYS}{name}": key for name, key in keys.items()}
            for name, member in members.items():
                _add(tar, name, io.BytesIO(member), len(member))
            with database.open("rb") as content:
                _add(tar, DATABASE, content, database.stat().st_size)
        file.flush()
        os.fsync(file.fileno())
    target.touch(exist_ok=False)  # fails instead of overwriting a file
    draft.replace(target)
    return complete


def read(source: Path, folder: Path) -> OpenArchive:
    """Unpack an archive into this folder and check its hashes. Raises `BadArchive` or OSError."""
    try:
        with tarfile.open(source, mode="r:") as tar:
            return _read(tar, folder)
    except tarfile.TarError as error:
        raise BadArchive(f"{source} is not a backup, or it is damaged: {error}.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise BadArchive(f"{source} is not a backup of Sayso, or it is damaged.") from error


def _read(tar: tarfile.TarFile, folder: Path) -> OpenArchive:
    raw = _read_member(tar, _MANIFEST)
    members: dict[str, Any] = json.loads(raw)
    if members["format"] != FORMAT:
        raise BadArchive(f"This program reads backups of format {FORMAT}, not {members['format']}.")
    manifest = Manifest(**members)
    keys = {
        name.removeprefix(_KEYS): _read_member(tar, name)
        for name in manifest.hashes
        if name.startswith(_KEYS)
    }
    database = folder / DATABASE
    _unpack(tar, database)
    if _hashes(database, keys) != manifest.hashes:
        raise BadArchive("The backup is damaged: a member does not match its hash.")
    return OpenArchive(manifest, database, keys, raw, _read_member(tar, _MAC))


def _read_member(tar: tarfile.TarFile, name: str) -> bytes:
    return _open_member(tar, name).read(_MAX_MEMBER_BYTES)


def _open_member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    member = tar.extractfile(name)
    if member is None:
        raise KeyError(name)
    return member


def _unpack(tar: tarfile.TarFile, target: Path) -> None:
    member = _open_member(tar, DATABASE)
    target.touch(mode=0o600)
    with target.open("wb") as file:
        shutil.copyfileobj(member, file, 1024 * 1024)


def _add(tar: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    """Add a member without a user or group."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    tar.addfile(info, content)


def _mac(master: bytes, raw: bytes) -> bytes:
    return hmac.digest(derive(master, _PURPOSE), raw, "sha256").hex().encode()


def _hashes(database: Path, keys: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of the database and of each key, by the name of the member."""
    with database.open("rb") as file:
        hashes = {DATABASE: hashlib.file_digest(file, "sha256").hexdigest()}
    return hashes | {
        f"{_KEYS}{name}": hashlib.sha256(key).hexdigest() for name, key in keys.items()
    }
