"""Key files cannot be mixed up: the database knows which ones belong to it."""

from pathlib import Path

import pytest

from server import app, key_files, outward
from server.crypto.jose import JwtSigner
from server.crypto.sealing import BadKeyFile
from server.crypto.secrets import KeyedSecrets
from server.settings import Settings
from server.storage.open import upgrade_database
from tests.support.builders import earlier_databases
from tests.support.builders.clock import NOON
from tests.support.servers.postgres import PostgresServer

SETTINGS = {"master.key": "SAYSO_MASTER_KEY_FILE", "pin.key": "SAYSO_PIN_KEY_FILE"}


def _opened(folder: Path, **settings: str) -> None:
    app.build(Settings(data_dir=folder, **settings)).store.close()  # type: ignore[arg-type]  # text only


def _write(path: Path, key: bytes) -> None:
    path.write_bytes(key)
    path.chmod(0o600)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An installation that was opened once."""
    _opened(tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize("name", SETTINGS)
def test_another_key_is_refused_by_name(folder: Path, name: str) -> None:
    """One sentence: the file, what is wrong with it, and the setting that names its path."""
    right = (folder / name).read_bytes()
    _write(folder / name, b"x" * 32)
    with pytest.raises(BadKeyFile) as refused:
        _opened(folder)
    told = str(refused.value)
    assert told.startswith(f"{folder / name} is not the ")
    assert "key that this database was made with" in told
    assert SETTINGS[name] in told
    _write(folder / name, right)
    _opened(folder)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_missing_key_is_refused_and_no_new_one_is_made(folder: Path, name: str) -> None:
    """A new key opens nothing and makes every PIN wrong."""
    (folder / name).unlink()
    with pytest.raises(BadKeyFile, match=r"is missing\. Restore it from your backup") as refused:
        _opened(folder)
    assert SETTINGS[name] in str(refused.value)
    assert not (folder / name).exists()


def test_a_new_database_takes_the_keys_that_are_there(tmp_path: Path) -> None:
    """An operator may make them elsewhere, and name where they are."""
    keys = {"master_key_file": tmp_path / "m", "pin_key_file": tmp_path / "p"}
    for path in keys.values():
        _write(path, path.name.encode() * 32)
    named = {name: str(path) for name, path in keys.items()}
    _opened(tmp_path / "data", **named)
    assert not list((tmp_path / "data").glob("*.key"))
    with pytest.raises(BadKeyFile, match="is missing"):
        _opened(tmp_path / "data")


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """An installation of an earlier version, which kept no ids of its keys."""
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
def test_an_upgraded_database_takes_its_own_files_only(earlier: Path, name: str) -> None:
    """A missing one is not made anew; from the first time on the ids are known."""
    right = (earlier / name).read_bytes()
    (earlier / name).unlink()
    with pytest.raises(BadKeyFile, match=r"is missing\. Restore it") as refused:
        _opened(earlier)
    assert SETTINGS[name] in str(refused.value)
    assert not (earlier / name).exists()
    _write(earlier / name, right)
    _opened(earlier)
    _write(earlier / name, b"x" * 32)
    with pytest.raises(BadKeyFile, match="key that this database was made with"):
        _opened(earlier)


def test_a_master_key_that_opens_nothing_is_refused_after_an_upgrade(earlier: Path) -> None:
    """The keys that it sealed tell which one is right, before any id is kept."""
    _write(earlier / "master.key", b"x" * 32)
    with pytest.raises(BadKeyFile, match=r"master.key is not the master key that this database"):
        _opened(earlier)
    _write(earlier / "master.key", b"m" * 32)
    _opened(earlier)


def test_an_id_says_nothing_about_the_key() -> None:
    """It is a keyed hash, and another one for each purpose."""
    ids = {key_files.key_id(name, b"k" * 32) for name in ("master", "pin", "vapid")}
    assert len(ids) == 3
    assert all(len(one) == 32 for one in ids)


@pytest.mark.postgresql
def test_a_second_server_with_keys_of_its_own_is_refused(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Both would say that they are ready, and PINs would be right at one of them only."""
    url = postgres_server.new_database()
    upgrade_database(url, NOON)
    _opened(tmp_path / "one", database_url=url)
    with pytest.raises(BadKeyFile, match=r"two/master.key is missing"):
        _opened(tmp_path / "two", database_url=url)
    _write(tmp_path / "two-master", (tmp_path / "one" / "master.key").read_bytes())
    _write(tmp_path / "two-pin", b"p" * 32)
    keys = {"master_key_file": tmp_path / "two-master", "pin_key_file": tmp_path / "two-pin"}
    named = {name: str(path) for name, path in keys.items()}
    with pytest.raises(BadKeyFile, match=r"two-pin is not the PIN key that this database was made"):
        _opened(tmp_path / "two", database_url=url, **named)


def test_the_vapid_key_of_an_earlier_version_is_taken_into_the_database(folder: Path) -> None:
    """Browsers that subscribed with it are still called; the file is not needed any more."""
    _write(folder / "vapid.key", b"v" * 32)
    services = app.build(Settings(data_dir=folder))
    kept = [
        outward.vapid_key(services.settings, services.store, services.secrets) for _ in range(2)
    ]
    services.store.close()
    assert kept == [b"v" * 32] * 2
    (folder / "vapid.key").unlink()
    services = app.build(Settings(data_dir=folder))
    assert outward.vapid_key(services.settings, services.store, services.secrets) == b"v" * 32
    services.store.close()


def test_the_webhook_key_is_made_once(folder: Path) -> None:
    """The receiver knows it; a new one in its place would fail every signature there."""
    services = app.build(Settings(data_dir=folder))
    path = key_files.open_webhook(services.settings, services.store)
    made = path.read_bytes()
    assert key_files.open_webhook(services.settings, services.store).read_bytes() == made
    path.unlink()
    with pytest.raises(BadKeyFile, match="SAYSO_WEBHOOK_SECRET_FILE"):
        key_files.open_webhook(services.settings, services.store)
    services.store.close()
    assert not path.exists()
