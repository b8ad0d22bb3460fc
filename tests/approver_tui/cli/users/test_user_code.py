"""A person's user code from a shell."""

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN

CODE = "blue whale 7"


def test_whether_there_is_one_is_told_without_a_pin(logged_in, server):
    """And never which."""
    assert logged_in("user-code", "--json").document["set"] is False
    assert "no agent needs" in logged_in("user-code").out
    server.user_code = CODE
    assert logged_in("user-code", "--json").document["set"] is True
    assert CODE not in logged_in("user-code").out


def test_a_code_is_set_with_the_pin_and_cleared_with_it(logged_in, server):
    """Code first, then PIN; neither is an argument, and the signature is over this very code."""
    both = f"{CODE}\n{PIN}"
    done = logged_in("user-code", "set", "--code-stdin", "--pin-stdin", "--json", stdin=both)
    assert (done.document["set"], server.user_code) == (True, CODE)
    done = logged_in("user-code", "clear", "--pin-stdin", "--json", stdin=PIN)
    assert (done.document["set"], server.user_code) == (False, None)


def test_without_a_way_to_ask_it_is_not_allowed(logged_in, server):
    """Nothing is sent."""
    assert logged_in("user-code", "set").code == Exit.NOT_ALLOWED
    assert logged_in("user-code", "set", "--code-stdin", stdin=CODE).code == Exit.NOT_ALLOWED
    assert logged_in("user-code", "clear").code == Exit.NOT_ALLOWED
    assert server.user_code is None


def test_a_wrong_pin_changes_nothing(logged_in, server):
    """It is a try like any other."""
    server.user_code = CODE
    done = logged_in("user-code", "clear", "--pin-stdin", "--json", stdin="not it")
    assert done.code == Exit.NOT_ALLOWED
    assert (server.user_code, server.pin_tries) == (CODE, 1)


def test_the_pin_is_no_user_code(logged_in, server):
    """CB-071: agents are told the code, and nothing was sent before that was noticed."""
    both = f"{PIN} \n{PIN}"
    done = logged_in("user-code", "set", "--code-stdin", "--pin-stdin", stdin=both)
    assert done.code == Exit.USAGE
    assert (server.user_code, server.pin_tries) == (None, 0)
