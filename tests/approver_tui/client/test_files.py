"""Files and folders are private."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from approver_tui.client import files


@pytest.fixture(params=[0o000, 0o022], ids="umask {:03o}".format, autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set the umask of the process, in both variants."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_new_folder_is_private(tmp_path: Path) -> None:
    """New parent folders are private too: anyone who can write in one could replace the folder."""
    secret = tmp_path / "home" / "state" / "default" / "secrets" / "session"
    files.write_private(secret, b"x")
    with files.file_lock(tmp_path / "home" / "state" / "default" / "lock"):
        pass

    modes = {path.relative_to(tmp_path): _mode(path) for path in tmp_path.rglob("*")}
    folders = {path for path in modes if (tmp_path / path).is_dir()}
    assert {modes[path] for path in folders} == {0o700}
    assert modes[Path("home/state/default/secrets/session")] == 0o600
    assert not {mode & 0o077 for mode in modes.values()} - {0}


def test_an_existing_folder_is_made_private(tmp_path: Path) -> None:
    """The folder itself is made private, but not the folders above it."""
    above, own = tmp_path / "above", tmp_path / "above" / "own"
    for folder in (above, own):
        folder.mkdir()
        folder.chmod(0o755)
    files.write_private(own / "file", b"x")

    assert (_mode(above), _mode(own)) == (0o755, 0o700)
