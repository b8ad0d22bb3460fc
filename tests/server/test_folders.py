"""Permissions of the data folder and of the files that a server writes there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from server import folders
from server.backups import making, restoring
from server.serving.main import ServeOptions, holding_issuer, prepare_settings
from server.settings import load
from tests.support.builders.site import open_site


@pytest.fixture(params=[0o000, 0o022], ids="umask {:03o}".format, autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Sets the umask of the process."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def _modes(folder: Path) -> dict[str, int]:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert modes
    return modes


def test_data_folder_and_its_new_parents_are_readable_by_the_owner_only(tmp_path: Path) -> None:
    """The mode of the database, the keys, the issuer file and every new folder is private."""
    data = tmp_path / "share" / "sayso" / "data"
    with holding_issuer(prepare_settings(load({"data_dir": str(data)}), ServeOptions())):
        pass
    local = open_site(data)
    local.services.store.close()

    modes = _modes(tmp_path)
    assert {"share", "sayso", "data", "sayso.db", "master.key", "pin.key", "issuer"} <= modes.keys()
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


def test_rewriting_a_file_removes_the_access_of_others(tmp_path: Path) -> None:
    """An older version may have left the file readable to others."""
    file = tmp_path / "file"
    file.write_text("a longer text")
    file.chmod(0o644)
    folders.write_private(file, "new")

    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o600)


def test_a_restore_makes_its_folders_readable_by_the_owner_only(tmp_path: Path) -> None:
    """A restore creates the data folder and its parents if they do not exist."""
    first = open_site(tmp_path / "first")
    first.services.store.close()
    now = first.clock.now()
    making.make(first.services.settings, tmp_path / "backup", now, with_keys=True)

    new = load({"data_dir": str(tmp_path / "new" / "data")})
    with restoring.from_archive(new, tmp_path / "backup", None, now) as steps:
        restoring.finish(steps, ())
    modes = {**_modes(tmp_path / "new"), "new": stat.S_IMODE((tmp_path / "new").stat().st_mode)}
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


def test_a_killed_backup_is_deleted_by_a_later_one(tmp_path: Path) -> None:
    """A folder to which a running backup writes is kept, and so is one of another command."""
    local = open_site(tmp_path / "data")
    local.services.store.close()
    target = tmp_path / "target"
    names = [".sayso-backup-killed", ".sayso-backup-running", ".sayso-restore-other"]
    for name in names:
        (target / name).mkdir(parents=True)
        (target / name / "database").write_text("rows")
    now = int((target / names[0]).stat().st_mtime * 1000)
    for path in (target / names[0] / "database", target / names[0], target / names[1]):
        os.utime(path, (0, now / 1000 - 3601))
    making.make(local.services.settings, target / "backup", now, with_keys=False)
    assert sorted(path.name for path in target.iterdir()) == [*names[1:], "backup"]
