"""Folders and files that only their owner can read, whatever the umask."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_ABANDONED_SECONDS: Final = 3600


def make_private(folder: Path) -> None:
    """Create the folder and its missing parents with mode 0700."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True, mode=_FOLDER_MODE)
        parent.chmod(_FOLDER_MODE)


def write_new(file: Path, lines: Iterable[str]) -> int:
    """Write a new file with mode 0600; return the number of lines. Raises FileExistsError.

    If reading the lines fails, the file is deleted.
    """
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _FILE_MODE)
    count = 0
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            for line in lines:
                stream.write(f"{line}\n")
                count += 1
    except BaseException:
        file.unlink()
        raise
    return count


def write_private(file: Path, text: str) -> None:
    """Replace the file's text and set mode 0600."""
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, _FILE_MODE)
    with os.fdopen(descriptor, "w") as stream:
        os.fchmod(descriptor, _FILE_MODE)
        stream.write(text)


def replace_private(file: Path, text: str) -> None:
    """Replace the file atomically and durably, with mode 0600. A crash leaves the old text."""
    new = file.with_name(f"{file.name}.new")
    write_private(new, text)
    with new.open("rb") as stream:
        os.fsync(stream.fileno())
    new.replace(file)


@contextmanager
def errors_about(path: Path, prefix: str) -> Iterator[None]:
    """Name this path in OS errors that name no path or one in a temporary folder."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename and prefix not in str(error.filename)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def temporary(parent: Path, prefix: str, now: int) -> Iterator[Path]:
    """Yield a new private folder that is deleted afterwards.

    A process that was killed may have left such a folder. It is deleted too, if nothing was
    written to it for an hour.
    """
    for folder in parent.glob(f"{prefix}*"):
        with suppress(OSError):  # it belongs to another user, or was just deleted
            newest = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
            if newest < now / 1000 - _ABANDONED_SECONDS:
                shutil.rmtree(folder)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as new:
        yield Path(new)
