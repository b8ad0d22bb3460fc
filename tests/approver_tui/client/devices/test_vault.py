"""The session key is stored in the keyring if it works, and otherwise in private files."""

import stat

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import InitError, PasswordDeleteError

from approver_tui.client.devices.vault import FILES, KEYRING, FileVault, choose_vault, open_vault
from approver_tui.client.sign_in.profile import Home


class MemoryKeyring(KeyringBackend):
    """A keyring that works."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.entries = {}

    def get_password(self, service, username):
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        self.entries[service, username] = password

    def delete_password(self, service, username):
        if (service, username) not in self.entries:
            raise PasswordDeleteError
        del self.entries[service, username]


class LockedKeyring(MemoryKeyring):
    """A keyring that is present but locked."""

    def set_password(self, *_):
        raise InitError("locked")


@pytest.fixture
def home(tmp_path):
    """Folders of a login that may use the keyring."""
    return Home(config=tmp_path, state=tmp_path, may_use_keyring=True)


@pytest.fixture
def use_keyring():
    """Return a function that sets the keyring backend for one test."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def test_a_working_keyring_is_used(home, use_keyring):
    """The entry is in the keyring, and deleting it twice is not an error."""
    use_keyring(MemoryKeyring())
    vault = choose_vault(home)
    vault.put("session-key", "s")
    assert (vault.kind, vault.get("session-key")) == (KEYRING, "s")
    assert open_vault(home, KEYRING).get("session-key") == "s"
    vault.delete("session-key")
    vault.delete("session-key")
    assert vault.get("session-key") is None


def test_a_keyring_that_does_not_answer_is_not_used(home, use_keyring):
    """If the keyring is locked, files are used instead."""
    use_keyring(LockedKeyring())
    assert choose_vault(home).kind == FILES


def test_a_named_folder_never_uses_the_keyring(tmp_path, use_keyring):
    """If the user names a folder, all secrets are stored in files there."""
    backend = MemoryKeyring()
    use_keyring(backend)
    assert choose_vault(Home.in_folder(tmp_path)).kind == FILES
    assert backend.entries == {}


def test_files_are_private_and_can_be_deleted(tmp_path):
    """The files have mode 0600, and deleting one twice is not an error."""
    vault = FileVault(tmp_path / "secrets")
    vault.put("tokens", "t")
    assert stat.S_IMODE((tmp_path / "secrets" / "tokens").stat().st_mode) == 0o600
    vault.delete("tokens")
    vault.delete("tokens")
    assert vault.get("tokens") is None
