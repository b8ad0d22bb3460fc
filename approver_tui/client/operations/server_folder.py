"""Whether this machine's user can open the server's own data folder.

Whoever can read a key file or the database is the server's administrator, or can become one,
whatever PIN protects the approvals.
Owns: that one test. Never: repairing it; `sayso serve` as its own user does.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from approver_tui.client.transport import LOOPBACK

_FILES = ("master.key", "pin.key", "sayso.db")


def readable_server_folder(issuer: str, folder: Path) -> Path | None:
    """Return `folder` if the server is on this machine and what is in it can be read, else None.

    A folder that can be written to counts even where the files in it cannot be read: another file
    can be put in their place.
    """
    if urlsplit(issuer).hostname not in LOOPBACK:
        return None
    return folder if any(_is_open(folder, name) for name in _FILES) else None


def _is_open(folder: Path, name: str) -> bool:
    if os.access(folder / name, os.R_OK):
        return True
    return os.access(folder, os.W_OK | os.X_OK) and os.access(folder / name, os.F_OK)
