"""`password` sets the password for signing in to apps."""

import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN

PASSWORD = "correct horse battery"
BOTH = ("password", "set", "--password-stdin", "--pin-stdin")


def test_password_shows_whether_one_is_set(logged_in, server):
    """The command requires no PIN and never shows the password."""
    assert logged_in("password", "--json").document["set"] is False
    assert "sayso-approver password set" in logged_in("password").out
    server.password = PASSWORD
    assert logged_in("password", "--json").document["set"] is True
    assert "You have a password" in logged_in("password").out


def test_a_password_is_set_and_changed_with_the_pin(logged_in, server):
    """The password and the PIN are read from stdin in this order, and neither is printed."""
    result = logged_in(*BOTH, stdin=f"{PASSWORD}\n{PIN}")
    assert (result.code, result.out, server.password) == (0, "The password is set.\n", PASSWORD)
    result = logged_in(*BOTH, "--json", stdin=f"{PASSWORD} 2\n{PIN}\n")
    assert result.document == {"schema": "sayso.password/1", "set": True, "sign_ins_ended": 1}
    assert server.password == f"{PASSWORD} 2"
    assert "1 browser was signed out" in logged_in(*BOTH, stdin=f"{PASSWORD}\n{PIN}").out


def test_a_wrong_pin_changes_nothing(logged_in, server):
    """A wrong PIN counts as an attempt, and the password is not set."""
    result = logged_in(*BOTH, stdin=f"{PASSWORD}\nnot it")
    assert (result.code, server.password, server.pin_tries) == (Exit.NOT_ALLOWED, None, 1)


@pytest.mark.parametrize("password", ["", "short", "a" * 257, "twelve\tcharacters"])
def test_an_invalid_password_costs_no_pin_attempt(logged_in, server, password):
    """An invalid password is rejected before anything is sent."""
    result = logged_in(*BOTH, stdin=f"{password}\n{PIN}")
    assert (result.code, server.pin_tries, server.password) == (Exit.USAGE, 0, None)
    assert "12 to 256 printable characters" in result.err


def test_setting_a_password_without_a_terminal_exits_with_5(logged_in, server):
    """Without a terminal, both the password and the PIN must come from stdin."""
    assert logged_in("password", "set").code == Exit.NOT_ALLOWED
    result = logged_in("password", "set", "--password-stdin", stdin=PASSWORD)
    assert (result.code, server.password) == (Exit.NOT_ALLOWED, None)
