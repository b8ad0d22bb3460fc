"""Files that only their owner can read, written atomically.

Owns: modes, atomic replacement, the lock between processes. Never: what the files mean.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FOLDER_MODE = 0o700
_LOCK_PAUSE = 0.02
"""How long to wait before trying to lock again, in seconds."""


def make_private_folder(folder: Path) -> None:
    """Create the folder and every missing parent, so that other users cannot open them.

    This ignores the umask. The mode of an existing folder is changed too.
    """
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True, mode=_FOLDER_MODE)
        parent.chmod(_FOLDER_MODE)
    folder.chmod(_FOLDER_MODE)


def write_private(path: Path, content: bytes) -> None:
    """Replace the file as `replace_private` does, in a folder that other users cannot open."""
    make_private_folder(path.parent)
    replace_private(path, content)


def replace_private(path: Path, content: bytes) -> None:
    """Replace the file atomically, with mode 0600; after a crash it is the old or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # a write to a full disk names no file
        raise
    _sync_folder(path.parent)


def check_writable(folder: Path) -> None:
    """Create and delete a file in the folder. Raises OSError, for example if the disk is full."""
    probe = folder / "probe"
    write_private(probe, b"1")
    probe.unlink(missing_ok=True)


def read_private(path: Path) -> bytes | None:
    """Return the file's content, or None if there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


@contextmanager
def file_lock(path: Path, *, timeout: float | None = None) -> Iterator[None]:
    """Hold a lock that other processes of this program respect.

    Raises TimeoutError if another process holds it for `timeout` more seconds.
    """
    make_private_folder(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle, timeout)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, timeout: float | None) -> None:
    if timeout is None:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError from None
            time.sleep(_LOCK_PAUSE)
        else:
            return


def _sync_folder(folder: Path) -> None:
    """Flush the folder, so that the new name survives a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
