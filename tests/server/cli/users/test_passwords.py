"""`sayso users password` reads the password only from standard input."""

import io

import pytest


@pytest.fixture
def typed(monkeypatch):
    """A function that pipes text into the command."""

    def pipe(text):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return pipe


def test_a_password_is_set_from_stdin_and_removed(admin_cli, typed):
    """The first line is the password, without a byte order mark. It is never printed or logged."""
    typed("\ufeffcorrect horse battery\nand more\n")
    result = admin_cli("users", "password", "admin", "--password-stdin", "--json")
    assert result.document["password"] == "set"
    assert "correct" not in result.out + admin_cli("audit", "tail").out
    assert "Password removed" in admin_cli("users", "password", "admin", "--remove").out
    again = admin_cli("users", "password", "admin", "--remove", "--json")
    assert (again.code, again.error["code"]) == (6, "conflict")


@pytest.mark.parametrize("flags", [(), ("--password-stdin", "--remove")])
def test_a_password_needs_exactly_one_of_the_two_flags(admin_cli, typed, flags):
    """The command is refused. Without a flag, it does not wait for input."""
    typed("correct horse battery\n")
    assert admin_cli("users", "password", "admin", *flags, "--json").error["code"] == "usage"


def test_a_short_password_is_refused_with_the_rule(admin_cli, typed):
    """A password needs at least twelve characters, and the error says so."""
    typed("short\n")
    result = admin_cli("users", "password", "admin", "--password-stdin", "--json")
    assert (result.code, result.error["code"]) == (2, "invalid")
    assert "12 characters" in result.error["message"]
