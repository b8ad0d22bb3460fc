"""In a locale that has few characters, output never fails."""

import io
import sys

from approver_tui import unshowable


def _latin(monkeypatch, name):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="iso-8859-1", write_through=True)
    monkeypatch.setattr(sys, name, stream)
    return raw


def test_the_app_writes_as_many_cells(monkeypatch):
    """Wide characters take two, marks none; lines are drawn with what there is."""
    raw = _latin(monkeypatch, "__stderr__")
    unshowable.replace_unshowable()
    print("╭─ 請求 é e\u0301 … ▏▃╮", file=sys.__stderr__, flush=True)  # as the driver does
    assert raw.getvalue().decode("latin-1") == "+- ???? é e ~ |#+\n"
