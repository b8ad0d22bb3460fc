"""One enrolment: which server, which person, which device, and the sealed approval keys.

Owns: where files lie and `profiles.json`. The format holds several profiles; one is used.
Never: secrets in the clear; those are the vault's.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

import platformdirs

from approver_tui.client import files
from approver_tui.client.errors import BrokenProfile

_FORMAT = 1
_APP = "sayso-approver"
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of this installation."""

    config: Path
    state: Path
    may_use_keyring: bool
    """False when everything has to lie under one named folder."""

    @classmethod
    def at(cls, folder: Path | None) -> Self:
        """Return everything under `folder`, or the platform's own places if it is None."""
        if folder is not None:
            return cls(config=folder, state=folder, may_use_keyring=False)
        return cls(
            config=platformdirs.user_config_path(_APP, appauthor=False),
            state=platformdirs.user_state_path(_APP, appauthor=False),
            may_use_keyring=True,
        )

    @property
    def profiles_file(self) -> Path:
        """Where the profiles lie."""
        return self.config / "profiles.json"

    @property
    def secrets_folder(self) -> Path:
        """Where secrets lie when there is no keyring."""
        return self.state / "secrets"

    @property
    def lock_file(self) -> Path:
        """What two processes of this installation lock before they renew a token."""
        return self.state / "lock"

    @property
    def cursor_file(self) -> Path:
        """Where the live feed was left."""
        return self.state / "cursor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one enrolment consists of. Byte strings are base64url."""

    issuer: str
    user_id: str
    user_name: str
    device_id: str
    device_name: str
    salt: str
    low_blob: str
    high_blob: str
    low_key: str
    """The thumbprint of the public key; the private one is in the blob."""
    high_key: str
    vault: str
    """Where the session key lies: keyring or files."""


def load(home: Home) -> Profile | None:
    """Return the current profile, or None before a login. Raises BrokenProfile."""
    content = files.read_private(home.profiles_file)
    if content is None:
        return None
    try:
        document = json.loads(content)
        if document["format"] != _FORMAT:
            raise BrokenProfile(f"{home.profiles_file} was written by another version.")
        return _parsed(document["profiles"][document["current"]])
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenProfile(f"{home.profiles_file} cannot be read; log in again.") from error


def save(home: Home, profile: Profile) -> None:
    """Make `profile` the current one."""
    document = {"format": _FORMAT, "current": DEFAULT, "profiles": {DEFAULT: asdict(profile)}}
    text = json.dumps(document, indent=2, ensure_ascii=True)
    files.write_private(home.profiles_file, text.encode())


def remove(home: Home) -> None:
    """Forget the profile and the place in the feed."""
    home.profiles_file.unlink(missing_ok=True)
    home.cursor_file.unlink(missing_ok=True)


def _parsed(members: dict[str, object]) -> Profile:
    values = {field.name: members[field.name] for field in fields(Profile)}
    if not all(isinstance(value, str) for value in values.values()):
        raise TypeError
    return Profile(**{name: str(value) for name, value in values.items()})
