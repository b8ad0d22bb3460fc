"""`user-code` sets and clears the user code."""

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN

CODE = "blue whale 7"


def test_user_code_shows_whether_one_is_set(logged_in, server):
    """The command requires no PIN and never shows the code."""
    assert logged_in("user-code", "--json").document["set"] is False
    assert "Agents do not need" in logged_in("user-code").out
    server.user_code = CODE
    assert logged_in("user-code", "--json").document["set"] is True
    assert CODE not in logged_in("user-code").out


def test_a_code_is_set_and_cleared_with_the_pin(logged_in, server):
    """The code and the PIN are read from stdin in this order."""
    both = f"{CODE}\n{PIN}"
    result = logged_in("user-code", "set", "--code-stdin", "--pin-stdin", "--json", stdin=both)
    assert (result.document["set"], server.user_code) == (True, CODE)
    result = logged_in("user-code", "clear", "--pin-stdin", "--json", stdin=PIN)
    assert (result.document["set"], server.user_code) == (False, None)


def test_without_a_terminal_the_code_and_the_pin_must_come_from_stdin(logged_in, server):
    """Otherwise the command exits with 5 and sends nothing."""
    assert logged_in("user-code", "set").code == Exit.NOT_ALLOWED
    assert logged_in("user-code", "set", "--code-stdin", stdin=CODE).code == Exit.NOT_ALLOWED
    assert logged_in("user-code", "clear").code == Exit.NOT_ALLOWED
    assert server.user_code is None


def test_a_wrong_pin_changes_nothing(logged_in, server):
    """A wrong PIN counts as an attempt, and the code is not cleared."""
    server.user_code = CODE
    result = logged_in("user-code", "clear", "--pin-stdin", "--json", stdin="not it")
    assert result.code == Exit.NOT_ALLOWED
    assert (server.user_code, server.pin_tries) == (CODE, 1)


def test_the_pin_cannot_be_the_user_code(logged_in, server):
    """A user code that equals the PIN is refused, because agents see the user code."""
    both = f"{PIN} \n{PIN}"
    result = logged_in("user-code", "set", "--code-stdin", "--pin-stdin", stdin=both)
    assert result.code == Exit.USAGE
    assert (server.user_code, server.pin_tries) == (None, 0)
