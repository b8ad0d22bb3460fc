"""Whoever can read the server's keys is told that the PIN protects nothing."""

from approver_tui.client.neighbour import server_folder_is_open


def test_a_readable_key_file_on_this_machine_is_reported(tmp_path):
    """The folder is named, so that it can be repaired."""
    (tmp_path / "master.key").write_bytes(b"k")
    assert server_folder_is_open("http://localhost:8470", tmp_path) == tmp_path


def test_no_key_file_is_no_finding(tmp_path):
    """An empty folder, or none, harms nobody."""
    assert server_folder_is_open("http://localhost:8470", tmp_path) is None
    assert server_folder_is_open("http://[::1]:8470", tmp_path / "none") is None


def test_a_server_elsewhere_is_not_looked_for_here(tmp_path):
    """A folder on this machine says nothing about another one."""
    (tmp_path / "master.key").write_bytes(b"k")
    assert server_folder_is_open("https://as.example", tmp_path) is None
