"""The interface of the settings store.

Owns: the interface, its values, a store that is empty. Never: files.
"""

from dataclasses import dataclass
from typing import Protocol

from approver_tui.client.errors import BadSetting


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting and its current value."""

    name: str
    value: str
    source: str
    """`default`, an environment variable, or the path of the file."""
    description: str
    form: str
    """The valid values, in words."""
    choices: tuple[str, ...]
    """Every valid value; empty if there are too many to list."""
    is_fixed: bool
    """Whether the environment sets it, which overrides the file."""


@dataclass(frozen=True, slots=True)
class Login:
    """A server that this machine is logged in to."""

    name: str
    issuer: str
    user: str
    device: str
    is_current: bool
    """Whether it is the server that the app shows."""


class SettingsStore(Protocol):
    """Where the settings are stored. Every method can raise BadSetting or OSError."""

    def logins(self) -> tuple[Login, ...]:
        """Return every server that this machine is logged in to."""

    def settings(self) -> tuple[Setting, ...]:
        """Return all settings with their current values."""

    def save(self, name: str, value: str) -> None:
        """Save a value."""


class NoSettingsStore:
    """A store without settings that refuses to save any."""

    def logins(self) -> tuple[Login, ...]:
        """Return none."""
        return ()

    def settings(self) -> tuple[Setting, ...]:
        """Return none."""
        return ()

    def save(self, name: str, value: str) -> None:
        """Raise BadSetting."""
        raise BadSetting(f"There is nowhere to keep {name} = {value}.")
