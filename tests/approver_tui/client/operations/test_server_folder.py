"""A readable server folder is detected."""

import os

import pytest

from approver_tui.client.operations.server_folder import readable_server_folder


@pytest.mark.parametrize("name", ["master.key", "pin.key", "sayso.db"])
def test_one_readable_file_of_a_local_server_is_reported(tmp_path, name):
    """One readable key or database file is enough, and the folder is returned."""
    (tmp_path / name).write_bytes(b"k")
    assert readable_server_folder("http://localhost:8470", tmp_path) == tmp_path


def test_a_writable_folder_is_reported_even_if_its_files_are_not_readable(tmp_path, monkeypatch):
    """In a writable folder, the files could be replaced."""
    (tmp_path / "pin.key").write_bytes(b"k")
    original = os.access

    def deny_reading(path, mode):
        return False if mode == os.R_OK else original(path, mode)

    monkeypatch.setattr(os, "access", deny_reading)
    assert readable_server_folder("http://localhost:8470", tmp_path) == tmp_path


def test_closed_files_in_a_closed_folder_are_not_reported(tmp_path, monkeypatch):
    """A server folder that this user can neither read nor write is the normal state."""
    (tmp_path / "pin.key").write_bytes(b"k")
    monkeypatch.setattr(os, "access", lambda _path, mode: mode == os.F_OK)
    assert readable_server_folder("http://localhost:8470", tmp_path) is None


def test_a_folder_without_key_files_is_not_reported(tmp_path):
    """An empty or missing folder is not reported."""
    assert readable_server_folder("http://localhost:8470", tmp_path) is None
    assert readable_server_folder("http://[::1]:8470", tmp_path / "none") is None


def test_a_remote_server_is_not_checked(tmp_path):
    """A folder on this machine does not belong to a server on a different machine."""
    (tmp_path / "master.key").write_bytes(b"k")
    assert readable_server_folder("https://as.example", tmp_path) is None
