"""Key files are created safely, and sealed values open only with the right key."""

import stat

import pytest

from server.crypto import secrets
from server.crypto.secrets import BadKeyFile, Sealer, derive, read_or_create_key

MASTER = bytes(range(32))


def test_a_key_file_is_created_once_and_readable_by_its_owner_only(tmp_path):
    """The file has 32 random bytes and mode 0600, and its folder has mode 0700."""
    path = tmp_path / "data" / "master.key"
    key = read_or_create_key(path)
    assert (len(key), read_or_create_key(path)) == (32, key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_or_create_key(tmp_path / "other.key") != key
    assert [file.name for file in path.parent.iterdir()] == ["master.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_read_is_refused(tmp_path, mode):
    """The error contains the command that fixes the mode."""
    path = tmp_path / "master.key"
    read_or_create_key(path)
    path.chmod(mode)
    with pytest.raises(BadKeyFile, match="chmod 600"):
        read_or_create_key(path)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_file_of_the_wrong_size_is_refused(tmp_path, size):
    """The file is never overwritten with a new key."""
    path = tmp_path / "master.key"
    path.write_bytes(bytes(size))
    path.chmod(0o600)
    with pytest.raises(BadKeyFile, match="backup"):
        read_or_create_key(path)
    assert len(path.read_bytes()) == size


def test_two_processes_that_create_a_key_use_the_first_one(tmp_path, monkeypatch):
    """The second process leaves no temporary file behind."""
    path = tmp_path / "master.key"
    link = secrets.os.link

    def link_after_another_process(temporary, target):
        target.write_bytes(MASTER)
        target.chmod(0o600)
        link(temporary, target)

    monkeypatch.setattr(secrets.os, "link", link_after_another_process)
    assert read_or_create_key(path) == MASTER
    assert [file.name for file in tmp_path.iterdir()] == ["master.key"]


def test_each_purpose_derives_its_own_key():
    """One key reveals nothing about another."""
    keys = {derive(MASTER, "handles"), derive(MASTER, "nonces"), derive(bytes(32), "handles")}
    assert len(keys) == 3


def test_a_sealed_value_opens_only_for_its_purpose():
    """Sealing twice gives different bytes. Both parts of the purpose must match."""
    sealer = Sealer(MASTER)
    sealed = sealer.seal("answer:one", b"text")
    assert sealed != sealer.seal("answer:one", b"text")
    assert b"text" not in sealed
    assert Sealer(MASTER).open("answer:one", sealed) == b"text"
    for purpose in ("answer:two", "signing key:one"):
        with pytest.raises(BadKeyFile):
            sealer.open(purpose, sealed)


def test_a_different_master_key_or_changed_bytes_are_refused():
    """The error names the master key."""
    sealed = Sealer(MASTER).seal("answer:one", b"text")
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for sealer, text in ((Sealer(bytes(32)), sealed), (Sealer(MASTER), changed)):
        with pytest.raises(BadKeyFile, match="master key"):
            sealer.open("answer:one", text)
