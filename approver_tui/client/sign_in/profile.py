"""One enrolment: which server, which person, which device, and the sealed approval keys.

Owns: where files lie, and the file of each profile. Somebody with several servers has several
profiles, each with a name and all of its files apart from the others'.
Never: secrets in the clear; those are the vault's.
"""

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
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
DEFAULT = "default"
"""The name of a profile that was given none."""


NAME_FORM = "1 to 32 small letters, digits, - and _, the first a letter or digit"
"""What a profile may be called, in words that end a sentence."""


def is_name(text: str) -> bool:
    """Return whether a profile may be called that: it names files too."""
    return _NAME.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of this installation, and which of its profiles is meant."""

    config: Path
    state: Path
    may_use_keyring: bool
    """False when everything has to lie under one named folder."""
    name: str = DEFAULT
    """The profile's name."""

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

    def named(self, name: str) -> Self:
        """Return the same installation with another of its profiles."""
        return replace(self, name=name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all profiles that were saved, in order."""
        found = (path.stem for path in self._profiles_folder.glob("*.json"))
        return tuple(sorted(filter(is_name, found)))

    @property
    def profile_file(self) -> Path:
        """Where the profile lies."""
        return self._profiles_folder / f"{self.name}.json"

    @property
    def secrets_folder(self) -> Path:
        """Where its secrets lie when there is no keyring."""
        return self._own_state / "secrets"

    @property
    def lock_file(self) -> Path:
        """What two processes with this profile lock before they renew a token."""
        return self._own_state / "lock"

    @property
    def cursor_file(self) -> Path:
        """Where the live feed was left."""
        return self._own_state / "cursor"

    @property
    def waiting_file(self) -> Path:
        """Where it lies what waited when the server last said so."""
        return self._own_state / "waiting.json"

    @property
    def intents_file(self) -> Path:
        """Where it lies what is about to be denied."""
        return self._own_state / "denials.json"

    @property
    def intents_lock(self) -> Path:
        """What two processes lock before they change that."""
        return self._own_state / "denials.lock"

    @property
    def _profiles_folder(self) -> Path:
        return self.config / "profiles"

    @property
    def _own_state(self) -> Path:
        return self.state / "state" / self.name


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
    """Return the profile, or None before a login. Raises BrokenProfile."""
    content = files.read_private(home.profile_file)
    if content is None:
        return None
    try:
        document = json.loads(content)
        if document["format"] != _FORMAT:
            raise BrokenProfile(f"{home.profile_file} was written by another version.")
        return _parsed(document["profile"])
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenProfile(f"{home.profile_file} cannot be read; log in again.") from error


def load_required(home: Home) -> Profile:
    """Return the current profile. Raises LoginFirst before a login, or BrokenProfile."""
    profile = load(home)
    if profile is None:
        raise LoginFirst(_no_login(home))
    return profile


def save(home: Home, profile: Profile) -> None:
    """Keep the profile under the name that is meant."""
    document = {"format": _FORMAT, "profile": asdict(profile)}
    text = json.dumps(document, indent=2, ensure_ascii=True)
    files.write_private(home.profile_file, text.encode())


def remove(home: Home) -> None:
    """Forget the profile, the place in the feed, and what waited or was about to be denied."""
    for file in (home.profile_file, home.cursor_file, home.waiting_file, home.intents_file):
        file.unlink(missing_ok=True)


def _no_login(home: Home) -> str:
    """Somebody with other profiles may have mistyped the name of this one."""
    if not home.names:
        return "There is no login on this machine."
    others = ", ".join(home.names)
    return f"There is no login called {home.name} on this machine. There is: {others}."


def _parsed(members: dict[str, object]) -> Profile:
    values = {field.name: members[field.name] for field in fields(Profile)}
    if not all(isinstance(value, str) for value in values.values()):
        raise TypeError
    return Profile(**{name: str(value) for name, value in values.items()})
