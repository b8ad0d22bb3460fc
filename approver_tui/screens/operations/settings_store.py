"""The interface of the settings store.

Owns: the interface, its value types. Never: reading or writing files.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting and its current value."""

    name: str
    value: str
    source: str
    """`default`, the name of an environment variable, or the path of the settings file."""
    description: str
    form: str
    """A description of the valid values."""
    choices: tuple[str, ...]
    """All valid values; empty if there are too many to list."""
    is_fixed: bool
    """Whether an environment variable sets the value, which overrides the file."""


@dataclass(frozen=True, slots=True)
class Login:
    """A server that this machine is logged in to."""

    name: str
    issuer: str
    user: str
    device: str
    is_current: bool
    """Whether the app now shows this server."""


class SettingsStore(Protocol):
    """A store of settings. Every method can raise BadSetting or OSError."""

    def logins(self) -> tuple[Login, ...]:
        """Return every server that this machine is logged in to."""

    def settings(self) -> tuple[Setting, ...]:
        """Return all settings with their current values."""

    def save(self, name: str, value: str) -> None:
        """Save the value of a setting."""
