"""Files have a maximum length."""

from tests.support.checks.source import modules

_MAX_LINES = 400
_MAX_TABLE_LINES = 600
"""Tables: each row can be read by itself."""
_TABLES = {
    "server/services/clients/agent_members.py",
}
_MAX_TEST_LINES = 700
"""Each test of a file can be read by itself."""


def _lengths(*folders):
    """Returns the number of lines of each file, by its path."""
    read = (module for module in modules(*folders) if "node_modules" not in module.path)
    return {source.path: len(source.text.splitlines()) for source in read}


def test_no_module_is_too_long():
    """A module of the product or of the test support has at most four hundred lines."""
    lengths = _lengths("server", "approver_tui", "sayso", "tests/support", "tests/bench")
    long = {path for path, lines in lengths.items() if lines > _MAX_LINES}
    assert long <= _TABLES
    assert {path for path in _TABLES if lengths[path] > _MAX_TABLE_LINES} == set()


def test_no_test_file_is_too_long():
    """A test file has at most seven hundred lines, because it covers one topic."""
    assert {path: n for path, n in _lengths("tests").items() if n > _MAX_TEST_LINES} == {}
