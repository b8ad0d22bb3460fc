"""Stores the session key and the tokens.

Owns: the keyring, or files with mode 0600 if there is none. Never: the approval keys, which the PIN
seals in the profile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from approver_tui.client import files
from approver_tui.client.sign_in.profile import Home

KEYRING = "keyring"
FILES = "files"
_SERVICE = "sayso-approver"


class FileVault:
    """Secrets in files that only their owner can read."""

    kind = FILES

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> str | None:
        """Return a secret, or None."""
        content = files.read_private(self._folder / name)
        return None if content is None else content.decode()

    def put(self, name: str, secret: str) -> None:
        """Store a secret in its own file."""
        files.write_private(self._folder / name, secret.encode())

    def delete(self, name: str) -> None:
        """Remove the file."""
        (self._folder / name).unlink(missing_ok=True)


class KeyringVault:
    """Secrets in the desktop's keyring, grouped by profile."""

    kind = KEYRING

    def __init__(self, profile: str) -> None:
        self._profile = profile

    def get(self, name: str) -> str | None:
        """Return a secret, or None."""
        import keyring  # slow to load, and not needed with files

        with _as_os_error():
            return keyring.get_password(_SERVICE, self._entry(name))

    def put(self, name: str, secret: str) -> None:
        """Store a secret in the keyring."""
        import keyring

        with _as_os_error():
            keyring.set_password(_SERVICE, self._entry(name), secret)

    def delete(self, name: str) -> None:
        """Remove the entry."""
        import keyring
        from keyring.errors import PasswordDeleteError

        try:
            keyring.delete_password(_SERVICE, self._entry(name))
        except PasswordDeleteError:
            return  # no such entry

    def _entry(self, name: str) -> str:
        return f"{self._profile}/{name}"


Vault: TypeAlias = FileVault | KeyringVault
"""A store of secrets. `put` MUST be atomic."""


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Turn the error for a locked or missing keyring into OSError."""
    from keyring.errors import KeyringError

    try:
        yield
    except KeyringError as error:
        raise OSError(f"cannot use the keyring: {error}") from error


def open_vault(home: Home, kind: str) -> Vault:
    """Return the vault that a profile was saved with."""
    return KeyringVault(home.name) if kind == KEYRING else FileVault(home.secrets_folder)


def choose_vault(home: Home) -> Vault:
    """Return the keyring if it is allowed and works, else files."""
    if home.may_use_keyring and _keyring_works(home.name):
        return KeyringVault(home.name)
    return FileVault(home.secrets_folder)


def _keyring_works(profile: str) -> bool:
    """Check with a round trip: on servers, backends often exist but do not answer."""
    from keyring.errors import KeyringError

    vault = KeyringVault(profile)
    try:
        vault.put("probe", "1")
        works = vault.get("probe") == "1"
        vault.delete("probe")
    except (KeyringError, OSError, RuntimeError):
        return False
    return works
