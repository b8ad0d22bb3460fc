"""Output never fails in a locale with few characters."""

import io
import sys

from approver_tui import unshowable


def _use_latin_1(monkeypatch, name):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="iso-8859-1", write_through=True)
    monkeypatch.setattr(sys, name, stream)
    return raw


def test_replaced_characters_keep_their_width(monkeypatch):
    """A wide character becomes two, a combining mark none, and lines are drawn in ASCII."""
    raw = _use_latin_1(monkeypatch, "__stderr__")
    unshowable.replace_unshowable()
    print("╭─ 請求 é e\u0301 … ▏▃╮", file=sys.__stderr__, flush=True)  # as the driver does
    assert raw.getvalue().decode("latin-1") == "+- ???? é e ~ |#+\n"
