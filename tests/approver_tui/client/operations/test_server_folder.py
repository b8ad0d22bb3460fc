"""Whoever can read the server's keys is told that the PIN protects nothing."""

import os

import pytest

from approver_tui.client.operations.server_folder import readable_server_folder


@pytest.mark.parametrize("name", ["master.key", "pin.key", "sayso.db"])
def test_one_readable_file_of_the_server_on_this_machine_is_reported(tmp_path, name):
    """The folder is named, so that it can be repaired."""
    (tmp_path / name).write_bytes(b"k")
    assert readable_server_folder("http://localhost:8470", tmp_path) == tmp_path


def test_a_folder_that_can_be_written_to_is_reported_though_its_files_are_shut(
    tmp_path, monkeypatch
):
    """Whoever can put another file in the place of a key owns the server too."""
    (tmp_path / "pin.key").write_bytes(b"k")
    real = os.access

    def shut(path, mode):
        return False if mode == os.R_OK else real(path, mode)

    monkeypatch.setattr(os, "access", shut)
    assert readable_server_folder("http://localhost:8470", tmp_path) == tmp_path


def test_files_that_are_shut_in_a_folder_that_is_shut_are_no_finding(tmp_path, monkeypatch):
    """That is how it should be."""
    (tmp_path / "pin.key").write_bytes(b"k")
    monkeypatch.setattr(os, "access", lambda _path, mode: mode == os.F_OK)
    assert readable_server_folder("http://localhost:8470", tmp_path) is None


def test_no_key_file_is_no_finding(tmp_path):
    """An empty folder, or none, harms nobody."""
    assert readable_server_folder("http://localhost:8470", tmp_path) is None
    assert readable_server_folder("http://[::1]:8470", tmp_path / "none") is None


def test_a_server_elsewhere_is_not_looked_for_here(tmp_path):
    """A folder on this machine says nothing about another one."""
    (tmp_path / "master.key").write_bytes(b"k")
    assert readable_server_folder("https://as.example", tmp_path) is None
