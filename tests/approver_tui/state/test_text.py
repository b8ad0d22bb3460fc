"""What the terminal draws is what every other client of Sayso would draw."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approver_tui.state.text import SafeText, display_safe

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "display_safe.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_the_shared_vectors_hold(vector):
    """Server, terminal and page agree on every one of these texts."""
    caps = {"max_len": vector["max_chars"], "max_lines": vector["max_lines"]}
    assert display_safe(vector["raw"], **caps) == vector["safe"]


@given(st.text(), st.integers(1, 60), st.integers(1, 4))
def test_safe_text_stays_as_it_is(raw, max_len, max_lines):
    """What the server made safe is not escaped a second time at the terminal's door."""
    once = display_safe(raw, max_len=max_len, max_lines=max_lines)
    assert display_safe(once, max_len=max_len, max_lines=max_lines) == once


@given(st.text())
def test_nothing_that_moves_a_cursor_comes_through(raw):
    """No control character survives in a single line, the line feed included."""
    assert all(c >= " " and not "\x7f" <= c <= "\x9f" for c in display_safe(raw))


def test_the_result_is_of_the_type_that_screens_take():
    """Untouched text is SafeText too, so that a screen can insist on the type."""
    assert isinstance(display_safe("plain"), SafeText)
