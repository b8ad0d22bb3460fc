"""Whether this user can read the server's own data folder.

A user who can read a key file or the database is the server's administrator or can become one,
regardless of the PIN that protects the approvals.

Owns: the check. Never: changing permissions; `sayso serve` does that as its own user.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from approver_tui.client.transport import LOOPBACK

_FILES = ("master.key", "pin.key", "sayso.db")


def readable_server_folder(issuer: str, folder: Path) -> Path | None:
    """Return `folder` if the server is on this machine and the folder can be read, else None.

    A writable folder counts even if its files cannot be read: they could be replaced.
    """
    if urlsplit(issuer).hostname not in LOOPBACK:
        return None
    return folder if any(_is_exposed(folder, name) for name in _FILES) else None


def _is_exposed(folder: Path, name: str) -> bool:
    if os.access(folder / name, os.R_OK):
        return True
    return os.access(folder, os.W_OK | os.X_OK) and os.access(folder / name, os.F_OK)
