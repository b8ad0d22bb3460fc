"""What this machine says: the environment and the wall clock.

Owns: being the only reader of both in this package. Never: a default that is a secret.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

_SERVER = "sayso"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where this program keeps its files, and where a server on this machine would keep its own."""

    home: Path | None
    """SAYSO_APPROVER_HOME: everything lies here, and no keyring is used."""
    server_folder: Path
    """SAYSO_DATA_DIR, or the place a server uses without it."""


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process."""
    values = os.environ if environment is None else environment
    home = values.get("SAYSO_APPROVER_HOME")
    server = values.get("SAYSO_DATA_DIR")
    return Settings(
        home=Path(home).expanduser().absolute() if home else None,
        server_folder=Path(server).expanduser() if server else _server_default(),
    )


def wall_clock() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _server_default() -> Path:
    return platformdirs.user_data_path(_SERVER)
