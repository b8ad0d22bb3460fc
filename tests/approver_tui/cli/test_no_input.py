"""`--no-input` never prompts, even at a terminal."""

import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN, Keyboard
from tests.support.fakes.fake_server import CODE


def test_approving_with_no_input_names_the_pin_flag(logged_in, server):
    """`approve` reads nothing from the terminal and sends nothing without --pin-stdin."""
    approval = server.add()
    item = logged_in("inbox", "--json").document["items"][0]
    approve = ("approve", str(approval["id"]), "--fingerprint", item["fingerprint"])
    result = logged_in("--no-input", *approve, stdin=Keyboard(PIN))
    assert result.code == Exit.USAGE
    assert "--pin-stdin" in result.err
    assert logged_in("inbox", "--json").document["items"][0]["id"] == approval["id"]
    assert logged_in("--no-input", *approve, "--pin-stdin", stdin=PIN).code == 0


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("password", "set"), "--password-stdin"),
        (("user-code", "set"), "--code-stdin"),
        (("devices", "vouch", "sayso_dv_eeeeeeeeeeeeeeee"), "--pin-stdin"),
    ],
)
def test_every_missing_entry_names_its_flag(logged_in, arguments, remedy):
    """With --no-input a missing entry exits with 2; with no terminal it exits with 5."""
    result = logged_in("--no-input", *arguments, stdin=Keyboard(PIN))
    assert result.code == Exit.USAGE
    assert remedy in result.err
    assert logged_in(*arguments, stdin="").code == Exit.NOT_ALLOWED


def test_login_with_no_input_does_not_ask_for_the_pin(run, server):
    """The enrollment code is still unused after the error."""
    result = run("--no-input", "login", server.url, "--code", CODE, stdin=Keyboard(PIN))
    assert result.code == Exit.USAGE
    assert "--pin-stdin" in result.err
    assert not server.code_used


def test_interactive_commands_refuse_no_input(logged_in):
    """`review` is a usage error, and the app prints help, because both only ask questions."""
    assert logged_in("--no-input", "review", stdin=Keyboard()).code == Exit.USAGE
    assert "Usage:" in logged_in("--no-input", stdin=Keyboard()).out
