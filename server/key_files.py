"""The key files of this installation: where they are, and whether they belong to the database.

The database stores an ID for every key. A file from another installation, or a new file that
replaces a lost one, is refused before it is used.
Owns: the list of key files. Never: creating a key for a database that already has one.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from server.crypto.secrets import BadKeyFile, Sealer, read_key, read_or_create_key
from server.lazy_imports import lazily
from server.model.store import Store, Unit
from server.settings import PREFIX, Settings

with lazily():
    from server.crypto.jose import sealed_as

MASTER: Final = "master"
PIN: Final = "pin"
WEBHOOK: Final = "webhook"
LOG: Final = "log"
_ID_BYTES = 16


Problems: TypeAlias = Mapping[Path, str]
"""The path of each bad key file → its problem, as a sentence."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One key file."""

    name: str
    path: Path
    setting: str
    """The setting for its path."""
    consequence: str
    """The consequence if it is missing, as a clause for the error."""
    if_lost: str = ""
    """The command that replaces a lost file, as a sentence."""

    @property
    def missing(self) -> str:
        """The error message if it is missing."""
        return (
            f"{self.path} is missing. Restore it from your backup: {self.consequence} without it. "
            f"{self.setting} sets its path.{self.if_lost}"
        )

    @property
    def other(self) -> str:
        """The error message if it is not this database's key."""
        label = {PIN: "PIN", LOG: "audit log"}.get(self.name, self.name)
        return (
            f"{self.path} is not the {label} key that this database was created with. "
            f"Put the right file there; {self.setting} sets its path.{self.if_lost}"
        )


def required(settings: Settings) -> tuple[KeyFile, KeyFile]:
    """The key files that every process needs to open the database: master key and PIN key."""
    return (
        _key_file(settings, MASTER, "master_key_file", "sealed data cannot be opened"),
        _key_file(settings, PIN, "pin_key_file", "no PIN works"),
    )


def webhook(settings: Settings) -> KeyFile:
    """Return the key file that signs messages to SAYSO_WEBHOOK_URL."""
    consequence = "your webhook cannot verify what it receives"
    return _key_file(settings, WEBHOOK, "webhook_secret_file", consequence)


def log(settings: Settings) -> KeyFile:
    """Return the key file that signs the checkpoints of the audit log."""
    file = _key_file(settings, LOG, "log_key_file", "the audit log cannot be signed")
    return replace(file, if_lost=" If it is lost, run: sayso audit rotate-key")


def _key_file(settings: Settings, name: str, setting: str, consequence: str) -> KeyFile:
    path = getattr(settings, setting) or settings.data_dir / f"{name}.key"
    return KeyFile(name, Path(path), f"{PREFIX}{setting.upper()}", consequence)


def every(settings: Settings) -> tuple[KeyFile, ...]:
    """Return all key files, including those that this installation does not need."""
    return (*required(settings), webhook(settings), log(settings))


def open_required(settings: Settings, store: Store) -> tuple[bytes, bytes]:
    """Return the master key and the PIN key; creates and records them for a new database.

    Raises `BadKeyFile` if a file is missing, unusable or for another database.
    """
    files = required(settings)
    if not _key_ids(store):
        _check_unrecorded(files, store)
        _record(store, {file.name: read_or_create_key(file.path) for file in files})
    key_ids = _key_ids(store)  # another process may have been first, with other keys
    for file in files:
        check(file, key_ids)
    master, pin = (read_key(file.path) for file in files)
    return master, pin


def problems(settings: Settings, store: Store) -> Problems:
    """Return the problems with the key files. Changes nothing."""
    return problems_of(settings, _key_ids(store))


def problems_of(settings: Settings, key_ids: Mapping[str, str]) -> Problems:
    """Return the problems with the key files of a database with these key IDs."""
    files = [file for file in every(settings) if file.name != WEBHOOK or settings.webhook_url]
    messages = {file.path: problem(file, key_ids) for file in files if file.name in key_ids}
    return {path: message for path, message in messages.items() if message}


def open_webhook(settings: Settings, store: Store) -> Path:
    """Return the path of the webhook key. Creates the default file once. Raises `BadKeyFile`."""
    file = webhook(settings)
    if not file.path.exists():
        if settings.webhook_secret_file or WEBHOOK in _key_ids(store):
            raise BadKeyFile(file.missing)
        _record(store, {WEBHOOK: read_or_create_key(file.path)})
    return file.path


def open_log(settings: Settings, store: Store) -> bytes:
    """Return the private key of the audit log. Creates the file once. Raises `BadKeyFile`."""
    file, key_ids = log(settings), _key_ids(store)
    if LOG not in key_ids:
        key_ids = _record(store, {LOG: read_or_create_key(file.path)})
    check(file, key_ids)
    return read_key(file.path)


def replace_log(
    settings: Settings, store: Store, record: Callable[[Unit, bytes, bytes | None], object]
) -> None:
    """Replace the private key of the audit log, and keep the old file under a new name.

    `record` writes the audit entry with the new key and the old one, or None if it is lost.
    If the database does not store the change, the file stays. If the process is killed before it
    moves the new file, the next call moves it first.
    """
    path, key_ids = log(settings).path, _key_ids(store)
    new_path = path.with_name(f"{path.name}.new")
    if _is_recorded(new_path, key_ids):
        _move_new_key(new_path, path)
    old_key = read_key(path) if _is_recorded(path, key_ids) else None
    new_path.unlink(missing_ok=True)
    key = read_or_create_key(new_path)
    with store.write() as tx:
        tx.installation.replace_key(LOG, key_id(LOG, key))
        record(tx, key, old_key)
    _move_new_key(new_path, path)


def _is_recorded(path: Path, key_ids: Mapping[str, str]) -> bool:
    """Return whether the database records this file as the key of its audit log."""
    return path.exists() and key_ids.get(LOG) == key_id(LOG, path.read_bytes())


def _move_new_key(new_path: Path, path: Path) -> None:
    if path.exists():
        path.rename(path.with_name(f"{path.name}.{int(path.stat().st_mtime)}"))
    new_path.rename(path)


def key_id(name: str, key: bytes) -> str:
    """Return the ID that the database stores for a key: a hash that does not reveal the key."""
    return hmac.digest(key, f"sayso key id\n{name}".encode(), "sha256")[:_ID_BYTES].hex()


def check(file: KeyFile, key_ids: Mapping[str, str]) -> None:
    """Raise `BadKeyFile` if this file has a problem, given the database's key IDs."""
    if message := problem(file, key_ids):
        raise BadKeyFile(message)


def problem(file: KeyFile, key_ids: Mapping[str, str]) -> str:
    """Return the problem with this file, given the database's key IDs; "" if there is none.

    The webhook key may change while the server runs, so only the file's existence is checked.
    """
    if not file.path.exists():
        return file.missing
    if file.name == WEBHOOK:
        return ""
    try:
        key = read_key(file.path)
    except BadKeyFile as error:
        return str(error)
    return "" if key_ids[file.name] == key_id(file.name, key) else file.other


def _check_unrecorded(files: tuple[KeyFile, KeyFile], store: Store) -> None:
    """Check the files of a database from an earlier version, which did not store key IDs.

    Its signing keys are sealed with its master key, so the file must open one of them.
    Raises `BadKeyFile`.
    """
    with store.read() as view:
        sealed = view.directory.signing_keys()
    if not sealed:
        return
    for file in files:
        if not file.path.exists():
            raise BadKeyFile(file.missing)
    sealer = Sealer(read_key(files[0].path))
    try:
        sealer.open(sealed_as(sealed[0].kid), sealed[0].sealed)
    except BadKeyFile as error:
        raise BadKeyFile(files[0].other) from error


def _key_ids(store: Store) -> Mapping[str, str]:
    with store.read() as view:
        return view.installation.key_ids()


def _record(store: Store, keys: Mapping[str, bytes]) -> Mapping[str, str]:
    """Record new keys; return all key IDs, because another process may have been first."""
    with store.write() as tx:
        tx.lock("installation keys")
        for name, key in keys.items():
            tx.installation.add_key(name, key_id(name, key))
        return tx.installation.key_ids()
