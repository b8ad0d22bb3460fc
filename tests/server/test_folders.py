"""The data folder: who may read what a server puts there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from server import folders
from server.backups import making, restoring
from server.serving.main import ServeOptions, prepared
from server.settings import load
from tests.support.builders.site import open_site


@pytest.fixture(params=[0o000, 0o022], ids="umask {:03o}".format, autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the process was started with."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def _modes(folder: Path) -> dict[str, int]:
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert found
    return found


def test_a_servers_folders_are_its_own_and_so_are_its_files(tmp_path: Path) -> None:
    """Database, keys, address: and every parent that was not there before."""
    data = tmp_path / "share" / "sayso" / "data"
    prepared(load({"data_dir": str(data)}), ServeOptions())
    local = open_site(data)
    local.services.store.close()

    modes = _modes(tmp_path)
    assert {"share", "sayso", "data", "sayso.db", "master.key", "pin.key", "issuer"} <= modes.keys()
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


def test_what_is_written_again_is_closed_too(tmp_path: Path) -> None:
    """A file that an older version left open to others."""
    file = tmp_path / "file"
    file.write_text("a longer text")
    file.chmod(0o644)
    folders.write_private(file, "new")

    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o600)


def test_a_restore_opens_no_folder_to_others(tmp_path: Path) -> None:
    """It makes the data folder where there is none, and its parents."""
    first = open_site(tmp_path / "first")
    first.services.store.close()
    now = first.clock.now()
    making.make(first.services.settings, tmp_path / "backup", now, with_keys=True)

    new = load({"data_dir": str(tmp_path / "new" / "data")})
    with restoring.from_archive(new, tmp_path / "backup", None, now) as steps:
        restoring.finish(steps, ())
    modes = {**_modes(tmp_path / "new"), "new": stat.S_IMODE((tmp_path / "new").stat().st_mode)}
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
