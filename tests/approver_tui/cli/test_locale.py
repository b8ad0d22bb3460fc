"""A terminal in a Latin-1 locale lists every request."""

import io
import sys

import pytest

from approver_tui.cli.main import main
from tests.support.builders.approval_texts import wire_approval


@pytest.mark.usefixtures("logged_in")
@pytest.mark.parametrize("command", [("inbox",), ("inbox", "--json"), ("show", "{id}")])
def test_a_request_in_chinese_is_listed(server, monkeypatch, command):
    """Characters that the terminal cannot print are replaced, and no command fails."""
    headline = "支付 EUR 1.00 an Müller"
    approval = server.add(wire_approval(now=server.now(), display={"headline": headline}))
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="iso-8859-1", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(SystemExit) as ended:
        main([argument.format(id=approval["id"]) for argument in command])
    out = raw.getvalue().decode("iso-8859-1")
    assert not ended.value.code
    assert "\\u652f" in out if "--json" in command else "???? EUR 1.00 an Müller" in out
