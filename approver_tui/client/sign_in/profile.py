"""One login: the server, the user, the device, and the sealed approval keys.

Owns: the paths of files, and the file of each profile. A user of several servers has several named
profiles, each with its own files. Never: secrets in the clear; the vault has them.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Self

import platformdirs

from approver_tui.client import files
from approver_tui.client.errors import BrokenProfile, LoginFirst

_FORMAT = 1
_APP = "sayso-approver"
_FILE_NAME_DIGITS = 16
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
DEFAULT = "default"
"""The name of the default profile."""


NAME_FORM = "1 to 32 lowercase letters, digits, - and _, and start with a letter or digit"
"""The valid profile names, in words that can end a sentence."""


def is_name(text: str) -> bool:
    """Return whether a profile name is valid; it is also a file name."""
    return _NAME.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of this installation, and the current profile."""

    config: Path
    state: Path
    may_use_keyring: bool
    """False if all files must be in one named folder."""
    name: str = DEFAULT
    """The profile's name."""

    @classmethod
    def in_folder(cls, folder: Path | None) -> Self:
        """Return a home under `folder`, or in the platform's own folders if it is None."""
        if folder is not None:
            return cls(config=folder, state=folder, may_use_keyring=False)
        return cls(
            config=platformdirs.user_config_path(_APP, appauthor=False),
            state=platformdirs.user_state_path(_APP, appauthor=False),
            may_use_keyring=True,
        )

    def with_profile(self, name: str) -> Self:
        """Return the same installation with another of its profiles."""
        return replace(self, name=name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all saved profiles, sorted."""
        stems = (path.stem for path in self._profiles_folder.glob("*.json"))
        return tuple(sorted(filter(is_name, stems)))

    @property
    def profile_file(self) -> Path:
        """The file of the profile."""
        return self._profiles_folder / f"{self.name}.json"

    @property
    def secrets_folder(self) -> Path:
        """The folder for its secrets if there is no keyring."""
        return self._own_state / "secrets"

    @property
    def lock_file(self) -> Path:
        """The lock that two processes with this profile take before they renew a token."""
        return self._own_state / "lock"

    @property
    def pin_lock_file(self) -> Path:
        """The lock that a process with this profile holds from a PIN call until its answer."""
        return self._own_state / "pin.lock"

    @property
    def cursor_file(self) -> Path:
        """The stored cursor of the live feed."""
        return self._own_state / "cursor"

    @property
    def last_known_file(self) -> Path:
        """The last known list of waiting requests."""
        return self._own_state / "waiting.json"

    @property
    def unsent_denials_file(self) -> Path:
        """The denials that are about to be sent."""
        return self._own_state / "denials.json"

    @property
    def unsent_denials_lock(self) -> Path:
        """The lock for `unsent_denials_file`."""
        return self._own_state / "denials.lock"

    def log_file(self, issuer: str) -> Path:
        """Return the file of a server's last log checkpoint. Signing out does not remove it."""
        name = hashlib.sha256(issuer.encode()).hexdigest()[:_FILE_NAME_DIGITS]
        return self.state / "logs" / f"{name}.json"

    @property
    def _profiles_folder(self) -> Path:
        return self.config / "profiles"

    @property
    def _own_state(self) -> Path:
        return self.state / "state" / self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The data of one login. Byte strings are base64url."""

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
    """Where the session key is stored: keyring or files."""


def load(home: Home) -> Profile | None:
    """Return the profile, or None before a login. Raises BrokenProfile."""
    content = files.read_private(home.profile_file)
    if content is None:
        return None
    try:
        document = json.loads(content)
        if document["format"] != _FORMAT:
            raise BrokenProfile(f"{home.profile_file} was written by a different version.")
        return _parse_profile(document["profile"])
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenProfile(f"{home.profile_file} cannot be read; log in again.") from error


def load_required(home: Home) -> Profile:
    """Return the current profile. Raises LoginFirst before a login, or BrokenProfile."""
    profile = load(home)
    if profile is None:
        raise LoginFirst(_no_login_text(home))
    return profile


def save(home: Home, profile: Profile) -> None:
    """Save the profile under the current name."""
    document = {"format": _FORMAT, "profile": asdict(profile)}
    text = json.dumps(document, indent=2, ensure_ascii=True)
    files.write_private(home.profile_file, text.encode())


def remove(home: Home) -> None:
    """Remove the profile, the feed cursor, the last known list and the unsent denials."""
    for file in (
        home.profile_file,
        home.cursor_file,
        home.last_known_file,
        home.unsent_denials_file,
    ):
        file.unlink(missing_ok=True)


def _no_login_text(home: Home) -> str:
    """Return the message that there is no login; if there are other profiles, it lists them."""
    if not home.names:
        return "You are not logged in on this machine."
    others = ", ".join(home.names)
    return f"There is no login named {home.name} on this machine. Existing logins: {others}."


def _parse_profile(members: dict[str, object]) -> Profile:
    values = {field.name: members[field.name] for field in fields(Profile)}
    if not all(isinstance(value, str) for value in values.values()):
        raise TypeError
    return Profile(**{name: str(value) for name, value in values.items()})
