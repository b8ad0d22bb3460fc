"""The browser of the tests ends with them."""

from pathlib import Path

from tests.support.browsers.chromium import chromium
from tests.support.checks.waiting import until


def test_no_process_of_the_browser_stays(tmp_path: Path) -> None:
    """The program is a script on some systems, so that the browser is a child of a child."""
    with chromium(tmp_path):
        assert _processes(tmp_path)
    until(lambda: not _processes(tmp_path))


def _processes(folder: Path) -> list[Path]:
    """Return the processes that name this folder on their command line."""
    return [file for file in Path("/proc").glob("[0-9]*/cmdline") if _names(file, folder)]


def _names(file: Path, folder: Path) -> bool:
    try:
        return str(folder).encode() in file.read_bytes()
    except OSError:
        return False  # it ended just now
