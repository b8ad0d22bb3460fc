"""Key files cannot be mixed up, because the database stores the IDs of its keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server import app, key_files, outward
from server.crypto.jose import JwtSigner
from server.crypto.secrets import BadKeyFile, KeyedSecrets
from server.model.audit import Entry
from server.model.store import Busy, Unit
from server.services.audit import audit
from server.settings import Settings
from server.storage.open import upgrade_database
from tests.support.builders import earlier_databases
from tests.support.builders.clock import NOON
from tests.support.servers.postgres import PostgresServer

SETTINGS = {"master.key": "SAYSO_MASTER_KEY_FILE", "pin.key": "SAYSO_PIN_KEY_FILE"}


def _open_and_close(folder: Path, **settings: str) -> None:
    app.build(Settings(data_dir=folder, **settings)).store.close()  # type: ignore[arg-type]  # text only


def _write(path: Path, key: bytes) -> None:
    path.write_bytes(key)
    path.chmod(0o600)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An installation that was opened once."""
    _open_and_close(tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_wrong_key_file_is_refused_with_its_path_and_setting(folder: Path, name: str) -> None:
    """The error names the file, the problem and the setting for its path."""
    original = (folder / name).read_bytes()
    _write(folder / name, b"x" * 32)
    with pytest.raises(BadKeyFile) as refused:
        _open_and_close(folder)
    message = str(refused.value)
    assert message.startswith(f"{folder / name} is not the ")
    assert "key that this database was created with" in message
    assert SETTINGS[name] in message
    _write(folder / name, original)
    _open_and_close(folder)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_missing_key_file_is_refused_and_not_created(folder: Path, name: str) -> None:
    """A new key would decrypt nothing and make every PIN wrong."""
    (folder / name).unlink()
    with pytest.raises(BadKeyFile, match=r"is missing\. Restore it from your backup") as refused:
        _open_and_close(folder)
    assert SETTINGS[name] in str(refused.value)
    assert not (folder / name).exists()


def test_a_new_database_uses_existing_key_files(tmp_path: Path) -> None:
    """An operator can create the key files elsewhere and set their paths."""
    keys = {"master_key_file": tmp_path / "m", "pin_key_file": tmp_path / "p"}
    for path in keys.values():
        _write(path, path.name.encode() * 32)
    paths = {name: str(path) for name, path in keys.items()}
    _open_and_close(tmp_path / "data", **paths)
    assert not list((tmp_path / "data").glob("*.key"))
    with pytest.raises(BadKeyFile, match="is missing"):
        _open_and_close(tmp_path / "data")


@pytest.fixture
def upgraded_folder(tmp_path: Path) -> Path:
    """An installation of an earlier version, which stored no IDs of its keys."""
    folder, master, pin = tmp_path / "data", b"m" * 32, b"p" * 32
    folder.mkdir(mode=0o700)
    _write(folder / "master.key", master)
    _write(folder / "pin.key", pin)
    key = JwtSigner(KeyedSecrets(master, pin)).new_key("ES256", NOON)
    row = {"kid": key.kid, "alg": key.alg, "public_jwk": "{}", "sealed": key.sealed}
    url = f"sqlite:///{folder / 'sayso.db'}"
    earlier_databases.make(url, "0002", {"signing_keys": [{**row, "state": "active"}]})
    return folder


@pytest.mark.parametrize("name", SETTINGS)
def test_an_upgraded_database_accepts_only_its_own_key_files(
    upgraded_folder: Path, name: str
) -> None:
    """A missing key file is not created, and the first start stores the IDs."""
    original = (upgraded_folder / name).read_bytes()
    (upgraded_folder / name).unlink()
    with pytest.raises(BadKeyFile, match=r"is missing\. Restore it") as refused:
        _open_and_close(upgraded_folder)
    assert SETTINGS[name] in str(refused.value)
    assert not (upgraded_folder / name).exists()
    _write(upgraded_folder / name, original)
    _open_and_close(upgraded_folder)
    _write(upgraded_folder / name, b"x" * 32)
    with pytest.raises(BadKeyFile, match="key that this database was created with"):
        _open_and_close(upgraded_folder)


def test_an_upgraded_database_refuses_a_master_key_that_decrypts_nothing(
    upgraded_folder: Path,
) -> None:
    """Before an ID is stored, the sealed keys show whether the master key is right."""
    _write(upgraded_folder / "master.key", b"x" * 32)
    with pytest.raises(BadKeyFile, match=r"master.key is not the master key that this database"):
        _open_and_close(upgraded_folder)
    _write(upgraded_folder / "master.key", b"m" * 32)
    _open_and_close(upgraded_folder)


def test_a_key_id_is_a_keyed_hash_that_differs_by_purpose() -> None:
    """The ID of a key must reveal nothing about the key."""
    ids = {key_files.key_id(name, b"k" * 32) for name in ("master", "pin", "vapid")}
    assert len(ids) == 3
    assert all(len(id_) == 32 for id_ in ids)


@pytest.mark.postgresql
def test_a_second_server_with_its_own_keys_is_refused(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Otherwise each PIN would be correct on only one of the two servers."""
    url = postgres_server.new_database()
    upgrade_database(url, NOON)
    _open_and_close(tmp_path / "one", database_url=url)
    with pytest.raises(BadKeyFile, match=r"two/master.key is missing"):
        _open_and_close(tmp_path / "two", database_url=url)
    _write(tmp_path / "two-master", (tmp_path / "one" / "master.key").read_bytes())
    _write(tmp_path / "two-pin", b"p" * 32)
    keys = {"master_key_file": tmp_path / "two-master", "pin_key_file": tmp_path / "two-pin"}
    paths = {name: str(path) for name, path in keys.items()}
    with pytest.raises(
        BadKeyFile, match=r"two-pin is not the PIN key that this database was created"
    ):
        _open_and_close(tmp_path / "two", database_url=url, **paths)


def test_the_vapid_key_file_of_an_earlier_version_is_copied_into_the_database(folder: Path) -> None:
    """Subscribed browsers still get pushes, and the file is no longer needed."""
    _write(folder / "vapid.key", b"v" * 32)
    services = app.build(Settings(data_dir=folder))
    vapid_keys = [
        outward.vapid_key(services.settings, services.store, services.secrets) for _ in range(2)
    ]
    services.store.close()
    assert vapid_keys == [b"v" * 32] * 2
    (folder / "vapid.key").unlink()
    services = app.build(Settings(data_dir=folder))
    assert outward.vapid_key(services.settings, services.store, services.secrets) == b"v" * 32
    services.store.close()


def test_the_webhook_key_is_created_once(folder: Path) -> None:
    """The receiver has the first key and would reject signatures made with a new one."""
    services = app.build(Settings(data_dir=folder))
    path = key_files.open_webhook(services.settings, services.store)
    webhook_key = path.read_bytes()
    assert key_files.open_webhook(services.settings, services.store).read_bytes() == webhook_key
    path.unlink()
    with pytest.raises(BadKeyFile, match="SAYSO_WEBHOOK_SECRET_FILE"):
        key_files.open_webhook(services.settings, services.store)
    services.store.close()
    assert not path.exists()


@pytest.fixture
def services(folder: Path) -> Iterator[app.Services]:
    """An installation with a signed audit log."""
    services = app.build(Settings(data_dir=folder))
    with services.store.write() as tx:
        tx.audit.add(Entry(audit.Type.INSTALLATION_INITIALIZED, "operator"))
    services.audit_log.sign()
    yield services
    services.store.close()


def _replace_log(services: app.Services) -> bytes | None:
    """Replace the log key; return the old key that vouches for the new one."""
    old_keys = []

    def record(tx: Unit, new: bytes, old: bytes | None) -> None:
        services.audit_log.record_key(tx, new, old, by="operator")
        old_keys.append(old)

    key_files.replace_log(services.settings, services.store, record)
    return old_keys[0]


def test_a_log_key_stays_if_its_replacement_is_not_stored(services: app.Services) -> None:
    """Otherwise the server could not sign the log, and the next key would have no signature."""
    path = services.settings.data_dir / "log.key"
    key = path.read_bytes()

    def fail(*_: object) -> None:
        raise Busy("The disk is full.")

    with pytest.raises(Busy):
        key_files.replace_log(services.settings, services.store, fail)
    assert path.read_bytes() == key_files.open_log(services.settings, services.store) == key
    assert _replace_log(services) == key


def test_a_replacement_of_the_log_key_that_was_killed_is_finished_by_the_next_one(
    services: app.Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database already has the new key, so that key vouches for the next one."""

    def be_killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", be_killed)
        with pytest.raises(SystemExit):
            _replace_log(services)
    with pytest.raises(BadKeyFile, match="sayso audit rotate-key"):
        key_files.open_log(services.settings, services.store)
    interrupted = (services.settings.data_dir / "log.key.new").read_bytes()
    assert _replace_log(services) == interrupted
    services.audit_log.check()


def test_a_server_starts_after_a_replacement_that_was_killed_before_it_signed(
    services: app.Services,
) -> None:
    """The server checks the newest checkpoint with the new key when it starts."""
    _replace_log(services)
    services.audit_log.check()
