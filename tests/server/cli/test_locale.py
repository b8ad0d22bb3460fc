"""`sayso` in a terminal with a Latin-1 locale."""

import io
import sys

import pytest

from server.cli.main import main


def test_names_that_the_terminal_cannot_show_are_replaced(admin_cli, monkeypatch):
    """Each character becomes a question mark, and the command succeeds."""
    assert admin_cli("agents", "add", "支付", "--owner", "admin").code == 0
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="iso-8859-1", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(SystemExit) as exit_info:
        main(["agents", "list"])
    assert not exit_info.value.code
    assert "\n??    enabled" in raw.getvalue().decode("iso-8859-1")
