"""Folders and files that only their owner can read, whatever the umask."""

import os
from pathlib import Path
from typing import Final

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600


def make_private(folder: Path) -> None:
    """Create the folder and its missing parents with mode 0700."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True, mode=_FOLDER_MODE)
        one.chmod(_FOLDER_MODE)


def write_private(file: Path, text: str) -> None:
    """Replace the file's text and set mode 0600."""
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, _FILE_MODE)
    with os.fdopen(descriptor, "w") as opened:
        os.fchmod(descriptor, _FILE_MODE)
        opened.write(text)
