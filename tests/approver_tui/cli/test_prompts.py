"""Prompts at a terminal support editing."""

import os
from collections.abc import Iterator

import pytest

from approver_tui.cli import prompts


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Put a terminal on stdin and return the file descriptor that types into it."""
    keyboard_end, terminal_end = os.openpty()
    with os.fdopen(terminal_end) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield keyboard_end
    os.close(keyboard_end)


@pytest.mark.parametrize(
    ("typed", "read", "drawn"),
    [
        (b"31\x7f7\r", "37", "31\b \b7"),
        (b"3141\x15271828\r", "271828", "3141" + 4 * "\b \b" + "271828"),
        (b"\x15\x0131\r", "31", "31"),
        ("日本\x7f\r".encode(), "日", "日本" + 2 * "\b \b"),
    ],
    ids=["backspace", "ctrl-u", "nothing to erase", "a wide character"],
)
@pytest.mark.parametrize("is_hidden", [False, True], ids=["seen", "hidden"])
def test_a_prompt_supports_backspace(
    keyboard: int,
    capsys: pytest.CaptureFixture[str],
    typed: bytes,
    read: str,
    drawn: str,
    *,
    is_hidden: bool,
) -> None:
    """The user can correct a typing error, so that it does not cost a PIN attempt."""
    with prompts.echo_off():
        os.write(keyboard, typed)
        assert prompts.ask("PIN", is_hidden=is_hidden) == read
    shown = "" if is_hidden else drawn
    assert capsys.readouterr().err == f"PIN: {shown}\n"


def test_a_line_is_read_in_the_encoding_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a Latin-1 locale, a password keeps its umlauts."""
    keyboard_end, terminal_end = os.openpty()
    with os.fdopen(terminal_end, encoding="iso-8859-1") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with prompts.echo_off():
            os.write(keyboard_end, "Grüße\r".encode("iso-8859-1"))
            assert prompts.ask("Password", is_hidden=True) == "Grüße"
    os.close(keyboard_end)
