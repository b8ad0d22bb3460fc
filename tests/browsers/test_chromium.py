"""The browser ends with the tests that use it."""

from pathlib import Path

from tests.support.browsers.chromium import chromium
from tests.support.checks.waiting import until


def test_no_browser_process_is_left_running(tmp_path: Path) -> None:
    """On some systems the program is a script, and the browser is the script's child."""
    with chromium(tmp_path):
        assert _processes(tmp_path)
    until(lambda: not _processes(tmp_path))


def _processes(folder: Path) -> list[Path]:
    """Return the processes that name this folder on their command line."""
    return [file for file in Path("/proc").glob("[0-9]*/cmdline") if _contains(file, folder)]


def _contains(file: Path, folder: Path) -> bool:
    try:
        return str(folder).encode() in file.read_bytes()
    except OSError:
        return False  # the process has just ended
