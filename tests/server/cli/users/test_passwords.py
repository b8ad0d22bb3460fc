"""`sayso users password`: from standard input alone."""

import io

import pytest


@pytest.fixture
def typed(monkeypatch):
    """What is piped into the command."""

    def pipe(text):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return pipe


def test_a_password_is_set_from_standard_input_and_taken_away(begun, typed):
    """The first line is the password; it is never printed."""
    typed("correct horse battery\nand more\n")
    done = begun("users", "password", "admin", "--password-stdin", "--json")
    assert done.document["password"] == "set"
    assert "correct" not in done.out + begun("audit", "tail").out
    assert "is removed" in begun("users", "password", "admin", "--remove").out
    again = begun("users", "password", "admin", "--remove", "--json")
    assert (again.code, again.error["code"]) == (6, "conflict")


@pytest.mark.parametrize("flags", [(), ("--password-stdin", "--remove")])
def test_one_of_the_two_has_to_be_said(begun, typed, flags):
    """Nobody waits for input that does not come."""
    typed("correct horse battery\n")
    assert begun("users", "password", "admin", *flags, "--json").error["code"] == "usage"


def test_a_short_password_is_refused_with_the_rule(begun, typed):
    """Twelve characters."""
    typed("short\n")
    done = begun("users", "password", "admin", "--password-stdin", "--json")
    assert (done.code, done.error["code"]) == (2, "invalid")
    assert "12 characters" in done.error["message"]
