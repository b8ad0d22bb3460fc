"""Where the session key and the tokens are kept.

Owns: the keyring, or files with mode 0600 where there is none. Never: the approval keys; those
are sealed by the PIN and lie in the profile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from approver_tui.client import files
from approver_tui.client.sign_in.profile import Home

KEYRING = "keyring"
FILES = "files"
_SERVICE = "sayso-approver"


class Vault(Protocol):
    """A place for secrets. `kind` is KEYRING or FILES; `put` MUST be whole or not at all."""

    @property
    def kind(self) -> str:
        """KEYRING or FILES."""

    def get(self, name: str) -> str | None:
        """Return a secret, or None."""

    def put(self, name: str, secret: str) -> None:
        """Keep a secret under a name."""

    def drop(self, name: str) -> None:
        """Forget a secret; nothing happens if there is none."""


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
        """Keep a secret in a file of its own."""
        files.write_private(self._folder / name, secret.encode())

    def drop(self, name: str) -> None:
        """Remove the file."""
        (self._folder / name).unlink(missing_ok=True)


class KeyringVault:
    """Secrets in the desktop's keyring, those of each profile under its name."""

    kind = KEYRING

    def __init__(self, profile: str) -> None:
        self._profile = profile

    def get(self, name: str) -> str | None:
        """Return a secret, or None."""
        import keyring  # slow to load, and not needed with files

        with _as_os_error():
            return keyring.get_password(_SERVICE, self._entry(name))

    def put(self, name: str, secret: str) -> None:
        """Keep a secret in the keyring."""
        import keyring

        with _as_os_error():
            keyring.set_password(_SERVICE, self._entry(name), secret)

    def drop(self, name: str) -> None:
        """Remove the entry."""
        import keyring
        from keyring.errors import PasswordDeleteError

        try:
            keyring.delete_password(_SERVICE, self._entry(name))
        except PasswordDeleteError:
            return  # there was no such entry

    def _entry(self, name: str) -> str:
        return f"{self._profile}/{name}"


@contextmanager
def _as_os_error() -> Iterator[None]:
    """A keyring that is locked or gone is to callers what a folder is that cannot be written."""
    from keyring.errors import KeyringError

    try:
        yield
    except KeyringError as error:
        raise OSError(f"the keyring does not answer: {error}") from error


def open_vault(home: Home, kind: str) -> Vault:
    """Return the vault that a profile was saved with."""
    return KeyringVault(home.name) if kind == KEYRING else FileVault(home.secrets_folder)


def choose_vault(home: Home) -> Vault:
    """Return the keyring if it is allowed and really keeps a secret, else files."""
    if home.may_use_keyring and _keyring_works(home.name):
        return KeyringVault(home.name)
    return FileVault(home.secrets_folder)


def _keyring_works(profile: str) -> bool:
    """Ask for a round trip: backends that exist but do not answer are common on servers."""
    from keyring.errors import KeyringError

    vault = KeyringVault(profile)
    try:
        vault.put("probe", "1")
        works = vault.get("probe") == "1"
        vault.drop("probe")
    except (KeyringError, OSError, RuntimeError):
        return False
    return works
