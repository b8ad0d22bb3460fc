"""A folder in memory: tests survive `kill -9`, not a power cut, and need no disk."""

import os
import shutil
from pathlib import Path

_FREE_BYTES = 4 * 1024**3


def memory_folder() -> Path | None:
    """A temporary file system in memory; None if it is missing, small or forbids programs."""
    folder = Path("/dev/shm")  # noqa: S108  # callers make folders of their own in it
    if not folder.is_dir() or os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return None
    return folder if shutil.disk_usage(folder).free > _FREE_BYTES else None
