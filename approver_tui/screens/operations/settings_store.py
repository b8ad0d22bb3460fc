"""Where the person's settings are kept, as the screens need it.

Owns: the port, its values, and what stands there when nothing keeps any. Never: files.
"""

from dataclasses import dataclass
from typing import Protocol

from approver_tui.client.errors import BadSetting


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is now."""

    name: str
    value: str
    source: str
    """`default`, a variable of the environment, or the path of the file."""
    means: str
    form: str
    """What it may be, in words."""
    choices: tuple[str, ...]
    """Every value that it may have; empty where there are too many to list."""
    is_fixed: bool
    """Whether the environment says it, so that the file does not count."""


@dataclass(frozen=True, slots=True)
class Login:
    """A server that this machine is logged in to."""

    name: str
    issuer: str
    user: str
    device: str
    is_here: bool
    """Whether it is the one that the app shows."""


class SettingsStore(Protocol):
    """Where the person's settings are kept. All MAY raise BadSetting or OSError."""

    def logins(self) -> tuple[Login, ...]:
        """Return every server that this machine is logged in to."""

    def settings(self) -> tuple[Setting, ...]:
        """Return all of them as they are now."""

    def keep(self, name: str, value: str) -> None:
        """Keep a value."""


class NoSettingsStore:
    """There is nowhere to keep any."""

    def logins(self) -> tuple[Login, ...]:
        """Return none."""
        return ()

    def settings(self) -> tuple[Setting, ...]:
        """Return none."""
        return ()

    def keep(self, name: str, value: str) -> None:
        """Refuse."""
        raise BadSetting(f"There is nowhere to keep {name} = {value}.")
