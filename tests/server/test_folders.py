"""The data folder: who may read what a server puts there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from server import folders
from server.serving.main import Shape, prepared
from server.settings import load
from tests.support.site import open_site


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
    prepared(load({"data_dir": str(data)}), Shape())
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
