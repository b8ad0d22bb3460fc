"""Whether this machine's user can open the server's own data folder.

Whoever can read the key file is the server's administrator, whatever PIN protects the approvals.
Owns: that one test. Never: repairing it; `sayso serve` as its own user does.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from approver_tui.client.transport import LOOPBACK

_KEY_FILE = "master.key"


def server_folder_is_open(issuer: str, folder: Path) -> Path | None:
    """Return `folder` if the server is on this machine and its key file can be read, else None."""
    if urlsplit(issuer).hostname not in LOOPBACK:
        return None
    return folder if os.access(folder / _KEY_FILE, os.R_OK) else None
