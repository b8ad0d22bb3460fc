"""A folder in memory: tests need data to survive `kill -9` but not a power cut, so no disk."""

import os
import shutil
from pathlib import Path

_FREE_BYTES = 4 * 1024**3


def memory_folder() -> Path | None:
    """Return a file system in memory, or None if it is missing, too small or mounted noexec."""
    folder = Path("/dev/shm")  # noqa: S108  # callers create their own folders in it
    if not folder.is_dir() or os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return None
    return folder if shutil.disk_usage(folder).free > _FREE_BYTES else None
